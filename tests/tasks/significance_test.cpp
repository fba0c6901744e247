// Oracle: statsmodels 0.15.0 (OLS on a constant with HAC errors, proportion_confint) and SciPy (stats.t); by hand.
#include "tasks/significance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace carousel {
namespace {

TEST(StudentT, ProbabilitiesAreThoseOfSciPy) {
  EXPECT_NEAR(student_t_p(0.5, 3), 0.651447964848, 1e-11);
  EXPECT_NEAR(student_t_p(2, 10), 0.0733880347707, 1e-11);
  EXPECT_NEAR(student_t_p(-2.5, 1), 0.242237883182, 1e-11);
  EXPECT_NEAR(student_t_p(12, 5) / 7.08949251716e-05, 1, 1e-10);
  EXPECT_NEAR(student_t_p(1.3, 4000), 0.193675873746, 1e-11);
  EXPECT_EQ(student_t_p(0, 7), 1);
}

std::vector<double> losses(int a, int b, int modulus, double divisor) {
  std::vector<double> list;
  for (int i = 0; i < 30; ++i) list.push_back((a * i * i + b * i) % modulus / divisor);
  return list;
}

TEST(DieboldMariano, StatisticsAreThoseOfStatsmodelsTimesTheCorrection) {
  const std::vector<double> a = losses(7, 3, 23, 5), b = losses(5, 11, 19, 4);
  const double expected[][3] = {
      {1, -1.43882361807, 0.160906897521}, {2, -1.34031158217, 0.190550977408}, {4, -1.24320809682, 0.22374858199}};
  for (const auto& [steps, statistic, p] : expected) {
    const auto test = diebold_mariano(a, b, static_cast<std::int64_t>(steps));
    ASSERT_TRUE(test);
    EXPECT_NEAR(test->difference, -0.493333333333, 1e-11);
    EXPECT_NEAR(test->statistic, statistic, 1e-10);
    EXPECT_NEAR(test->p, p, 1e-10);
    EXPECT_NEAR(diebold_mariano(b, a, static_cast<std::int64_t>(steps))->statistic, -statistic, 1e-10);
  }
}

// d = 1, 3: mean 2, variance of the mean (1 + 1) / 4, correction sqrt(1/2): t = 2, one degree of freedom, for which p
// is 1 - (2 / pi) atan t.
TEST(DieboldMariano, TwoForecastsByHand) {
  const std::vector<double> a{2, 5, NAN}, b{1, 2, 3};
  const auto test = diebold_mariano(a, b, 1);
  ASSERT_TRUE(test);
  EXPECT_NEAR(test->statistic, 2, 1e-14);
  EXPECT_NEAR(test->p, 1 - 2 / M_PI * std::atan(2.0), 1e-14);
}

TEST(DieboldMariano, SaysNothingOfTooFewAndOneOfTheSame) {
  const std::vector<double> one{1}, a{1, 2, 3};
  EXPECT_FALSE(diebold_mariano(one, one, 1));
  EXPECT_FALSE(diebold_mariano(a, a, 3));
  EXPECT_EQ(diebold_mariano(a, a, 2)->p, 1);
}

TEST(WilsonInterval, BoundsAreThoseOfStatsmodels) {
  EXPECT_NEAR(wilson_interval(53, 100).low, 0.432888569701, 1e-11);
  EXPECT_NEAR(wilson_interval(53, 100).high, 0.624891820407, 1e-11);
  EXPECT_NEAR(wilson_interval(0, 10).low, 0, 1e-15);
  EXPECT_NEAR(wilson_interval(0, 10).high, 0.277532799863, 1e-11);
  EXPECT_NEAR(wilson_interval(10, 10).low, 0.722467200137, 1e-11);
  EXPECT_NEAR(wilson_interval(512, 1000).high, 0.54287560339, 1e-11);
}

}  // namespace
}  // namespace carousel
