// gamma_functions.h: the logarithm of the gamma function and its derivative, for x > 0.
//
// The recurrence lifts x to 10, from where Stirling's series with seven terms is exact to the last bits (DLMF 5.5.1,
// 5.11.1, 5.11.2). std::lgamma writes a global variable, so threads may not call it.
#pragma once

#include <cmath>

namespace carousel::detail {

inline constexpr double kStirlingFrom = 10;

inline double log_gamma(double x) noexcept {
  double lifted = 1;
  for (; x < kStirlingFrom; ++x) lifted *= x;
  const double u = 1 / (x * x);
  double series = 1.0 / 156;
  series = series * u - 691.0 / 360360;
  series = series * u + 1.0 / 1188;
  series = series * u - 1.0 / 1680;
  series = series * u + 1.0 / 1260;
  series = series * u - 1.0 / 360;
  series = series * u + 1.0 / 12;
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  return (x - 0.5) * std::log(x) - x + kHalfLogTwoPi + series / x - std::log(lifted);
}

inline double digamma(double x) noexcept {
  double lifted = 0;
  for (; x < kStirlingFrom; ++x) lifted += 1 / x;
  const double u = 1 / (x * x);
  double series = 1.0 / 12;
  series = series * u - 691.0 / 32760;
  series = series * u + 1.0 / 132;
  series = series * u - 1.0 / 240;
  series = series * u + 1.0 / 252;
  series = series * u - 1.0 / 120;
  series = series * u + 1.0 / 12;
  return std::log(x) - 0.5 / x - series * u - lifted;
}

}  // namespace carousel::detail
