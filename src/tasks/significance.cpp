#include "tasks/significance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/fail.h"

namespace carousel {
namespace {

// The continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated by Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 10000;
  const auto not_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m < kMostTerms; ++m) {
    const double i = m, even = i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i));
    const double odd = -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1));
    double change = 1;
    for (const double term : {even, odd}) {
      d = 1 / not_zero(1 + term * d);
      c = not_zero(1 + term / c);
      change = c * d;
      fraction *= change;
    }
    if (std::abs(change - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return fraction;
}

// The regularised incomplete beta function I_x(a, b).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

}  // namespace

double student_t_p(double t, double degrees) {
  if (std::isinf(t)) return 0;
  return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

std::optional<DieboldMariano> diebold_mariano(std::span<const double> a, std::span<const double> b,
                                              std::int64_t steps) {
  CAROUSEL_ASSERT(a.size() == b.size() && steps >= 1);
  std::vector<double> d;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isnan(a[i] - b[i])) d.push_back(a[i] - b[i]);
  }
  if (std::ssize(d) <= std::max<std::int64_t>(steps, 1)) return std::nullopt;
  const auto n = static_cast<double>(d.size()), h = static_cast<double>(steps);
  DieboldMariano test;
  for (const double value : d) test.difference += value / n;
  double variance = 0;  // of the mean
  for (std::int64_t lag = 0; lag < steps; ++lag) {
    double sum = 0;
    for (std::size_t t = static_cast<std::size_t>(lag); t < d.size(); ++t) {
      sum += (d[t] - test.difference) * (d[t - static_cast<std::size_t>(lag)] - test.difference);
    }
    variance += (lag == 0 ? 1 : 2 * (1 - static_cast<double>(lag) / h)) * sum / (n * n);
  }
  if (test.difference == 0) return test;
  const double correction = std::sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n);
  test.statistic = correction * test.difference / std::sqrt(variance);
  test.p = student_t_p(test.statistic, n - 1);
  return test;
}

Interval wilson_interval(std::int64_t hits, std::int64_t count) {
  constexpr double kZ = 1.959963984540054;  // 97.5 % of the standard normal distribution lie below
  const auto n = static_cast<double>(count);
  const double share = static_cast<double>(hits) / n, z2 = kZ * kZ;
  const double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

}  // namespace carousel
