// distributions.h: quantiles of the distributions that forecasters put out, in double.
//
// The quantile of a level is the value that the variable stays below or at with that probability; of a count, the least
// such one.
#pragma once

namespace carousel {

// REQUIRES for all: 0 < level < 1.
double normal_quantile(double level) noexcept;

// Of Student's t with `freedom` degrees of freedom, more than 0, location 0, scale 1.
double student_t_quantile(double level, double freedom) noexcept;

// Of counts with this mean m > 0 and dispersion a > 0: the variance is m + a m^2.
double negative_binomial_quantile(double level, double mean, double dispersion) noexcept;

// I_x(a, b), the share of the beta distribution below x: by its continued fraction (DLMF 8.17.22).
// REQUIRES: 0 <= x <= 1, a and b above 0.
double incomplete_beta(double a, double b, double x) noexcept;

}  // namespace carousel
