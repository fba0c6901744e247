#include "tasks/forecast/distributions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/ops/gamma_functions.h"

namespace carousel {
namespace {

// The continued fraction of I_x(a, b) without its factor, by the modified method of Lentz (1976).
double beta_fraction(double a, double b, double x) noexcept {
  constexpr double kTiny = 1e-300, kExact = 1e-15;
  constexpr int kMaxTerms = 10000;
  const auto lifted = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / lifted(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m < kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / lifted(1 + even * d);
    c = lifted(1 + even / c);
    value *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / lifted(1 + odd * d);
    c = lifted(1 + odd / c);
    value *= c * d;
    if (std::abs(c * d - 1) < kExact) break;
  }
  return value;
}

// The probability that t is above `x` >= 0.
double student_t_tail(double x, double freedom) noexcept {
  return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + x * x)) / 2;
}

}  // namespace

double incomplete_beta(double a, double b, double x) noexcept {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const double logarithm =
      detail::log_gamma(a + b) - detail::log_gamma(a) - detail::log_gamma(b) + a * std::log(x) + b * std::log1p(-x);
  const double factor = std::exp(logarithm);
  return x < (a + 1) / (a + b + 2) ? factor * beta_fraction(a, b, x) / a : 1 - factor * beta_fraction(b, a, 1 - x) / b;
}

double normal_quantile(double level) noexcept {
  // A start with an error below 5e-4 (Abramowitz and Stegun 26.2.23), then Halley's method, which triples the digits.
  const double tail = std::min(level, 1 - level), t = std::sqrt(-2 * std::log(tail));
  double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int step = 0; step < 2; ++step) {
    const double density = std::exp(-z * z / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    const double error = (tail - std::erfc(z / std::numbers::sqrt2) / 2) / density;
    z -= error / (1 + z * error / 2);
  }
  return level < 0.5 ? -z : z;
}

double student_t_quantile(double level, double freedom) noexcept {
  const double tail = std::min(level, 1 - level);
  double low = 0, high = 1;
  while (student_t_tail(high, freedom) > tail) {
    low = high;
    high *= 2;
  }
  // Newton's method, halving where it leaves the bracket.
  const double scale = std::exp(detail::log_gamma((freedom + 1) / 2) - detail::log_gamma(freedom / 2)) /
                       std::sqrt(freedom * std::numbers::pi);
  double x = (low + high) / 2;
  for (int step = 0; step < 100; ++step) {
    const double error = student_t_tail(x, freedom) - tail;
    (error > 0 ? low : high) = x;
    double next = x + error / (scale * std::pow(1 + x * x / freedom, -(freedom + 1) / 2));
    if (!(low < next && next < high)) next = (low + high) / 2;
    if (std::abs(next - x) <= 1e-14 * x) break;
    x = next;
  }
  return level < 0.5 ? -x : x;
}

double negative_binomial_quantile(double level, double mean, double dispersion) noexcept {
  const double share = 1 / (1 + dispersion * mean), deviation = std::sqrt(mean / share);
  const auto reaches = [&](double count) { return incomplete_beta(1 / dispersion, count + 1, share) >= level; };
  double low = -1, high = std::max(0.0, std::floor(mean + deviation * normal_quantile(level)));  // low: not reached
  for (double stride = 1; !reaches(high); stride *= 2) {
    low = high;
    high += stride;
  }
  for (double stride = 1; high - stride > low; stride *= 2) {
    if (!reaches(high - stride)) {
      low = high - stride;
      break;
    }
    high -= stride;
  }
  while (high - low > 1) {
    const double middle = std::floor((low + high) / 2);
    (reaches(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace carousel
