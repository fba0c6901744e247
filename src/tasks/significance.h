// significance.h: whether a difference is more than chance.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace carousel {

constexpr double kSignificance = 0.05;  // a difference that chance makes less often is one

// The probability of |T| >= |t| for Student's t with `degrees` degrees of freedom. REQUIRES: degrees > 0.
double student_t_p(double t, double degrees);

// The test of "both forecasts lose the same on average" (Diebold and Mariano 1995) with the correction for few
// forecasts of Harvey, Leybourne and Newbold (1997): d = a - b, its variance by the weights of Bartlett (Newey and West
// 1987) over steps - 1 lags, and Student's t with n - 1 degrees of freedom, two-sided.
struct DieboldMariano {
  double difference = 0;  // the mean of d; below 0: a is better
  double statistic = 0;
  double p = 1;
};

// a and b: losses of the same forecasts in time order; `steps`: how many of them overlap one another, 1 if none do.
// A pair with a NaN is left out. Nothing if no more than `steps` pairs are left; p is 1 where a and b are the same.
// REQUIRES: as many of both, steps >= 1.
std::optional<DieboldMariano> diebold_mariano(std::span<const double> a, std::span<const double> b, std::int64_t steps);

// Where the probability lies of which `hits` of `count` trials were seen, with 95 % confidence (Wilson 1927).
// REQUIRES: 0 <= hits <= count, count > 0.
struct Interval {
  double low = 0, high = 0;
};
Interval wilson_interval(std::int64_t hits, std::int64_t count);

}  // namespace carousel
