// Oracle: closed forms (Student's t with 1, 2 and 4 degrees of freedom, the geometric distribution), tables, and sums
// of probabilities by brute force.
#include "tasks/forecast/distributions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace carousel {
namespace {

// Oracle: the distribution function of the C library; symmetry; the table value of 0.975.
TEST(Distributions, NormalQuantilesInvertTheDistribution) {
  for (const double level : {1e-12, 1e-4, 0.02, 0.1, 0.4999, 0.5, 0.75, 0.999}) {
    const double z = normal_quantile(level);
    EXPECT_NEAR(std::erfc(-z / std::numbers::sqrt2) / 2, level, 1e-13 * level) << level;
    EXPECT_NEAR(normal_quantile(1 - level), -z, std::abs(z) * 1e-3 * level + 1e-12 + 1e-16 / level);
  }
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
}

// Oracle: tan(pi (p - 1/2)) for one degree of freedom, (2 p - 1) sqrt(2 / (1 - (2 p - 1)^2)) for two, the normal
// distribution for many, the table value of 5 degrees.
TEST(Distributions, StudentQuantilesMatchTheClosedForms) {
  for (const double level : {0.001, 0.05, 0.3, 0.5, 0.8, 0.99}) {
    EXPECT_NEAR(student_t_quantile(level, 1), std::tan(std::numbers::pi * (level - 0.5)),
                1e-11 * std::abs(std::tan(std::numbers::pi * (level - 0.5))) + 1e-14);
    const double a = 2 * level - 1;
    EXPECT_NEAR(student_t_quantile(level, 2), a * std::sqrt(2 / (1 - a * a)), 1e-11 * (1 + std::abs(a) * 30));
    EXPECT_NEAR(student_t_quantile(level, 1e7), normal_quantile(level), 1e-6);
  }
  EXPECT_NEAR(student_t_quantile(0.975, 5), 2.5705818356363146, 1e-12);
}

// Oracle: x for a uniform variable, 1 - (1 - x)^b, x^a, and symmetry.
TEST(Distributions, IncompleteBetaMatchesTheClosedForms) {
  for (const double x : {0.0, 0.01, 0.3, 0.7, 0.999, 1.0}) {
    EXPECT_NEAR(incomplete_beta(1, 1, x), x, 1e-15);
    EXPECT_NEAR(incomplete_beta(1, 7.5, x), 1 - std::pow(1 - x, 7.5), 1e-14);
    EXPECT_NEAR(incomplete_beta(3.5, 1, x), std::pow(x, 3.5), 1e-14);
    EXPECT_NEAR(incomplete_beta(120, 45, x), 1 - incomplete_beta(45, 120, 1 - x), 1e-12);
  }
}

// Oracle: the probabilities added up one by one, p(k + 1) = p(k) (k + r) / (k + 1) q from p(0) = (1 - q)^r.
TEST(Distributions, CountsReachTheirLevel) {
  for (const auto& [mean, dispersion] : {std::pair(0.05, 0.3), {3.0, 1.0}, {40.0, 0.02}, {300.0, 1e-3}, {12.0, 8.0}}) {
    const double r = 1 / dispersion, q = dispersion * mean / (1 + dispersion * mean);
    for (const double level : {0.001, 0.1, 0.5, 0.9, 0.9999}) {
      double p = std::exp(-r * std::log1p(dispersion * mean)), total = p, count = 0;
      while (total < level) {
        p *= (count + r) / (count + 1) * q;
        total += p;
        ++count;
      }
      EXPECT_EQ(negative_binomial_quantile(level, mean, dispersion), count) << mean << " " << level;
    }
  }
}

}  // namespace
}  // namespace carousel
