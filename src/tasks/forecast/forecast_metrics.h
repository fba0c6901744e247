// forecast_metrics.h: how good the quantiles of a forecast are. Formulas with their source; plain numbers in and out.
//
// Levels rise, each in (0, 1); quantiles rise with them, one for each level. Between two levels a quantile is the
// straight line between their quantiles, beyond the outer ones it is that of the outer one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

// max(level (a - q), (level - 1) (a - q)): least, on average, for the true quantile q of a (Koenker and Bassett 1978).
double pinball(double quantile, double actual, double level) noexcept;

// REQUIRES: levels and quantiles are as many, and not empty.
double quantile_at(std::span<const double> levels, std::span<const double> quantiles, double level) noexcept;

// The continuous ranked probability score, 2 x the integral of pinball(q(level), actual, level) over the levels 0 .. 1
// (Gneiting and Raftery 2007; Laio and Tamea 2007), exact for the quantiles as described above. In the units of the
// values; of a single quantile it is the absolute error. REQUIRES: as quantile_at().
double crps_from_quantiles(std::span<const double> levels, std::span<const double> quantiles, double actual) noexcept;

// "0.1,0.5,0.9" as texts -> numbers. Throws Error{kUsage} that names `option` unless they rise and lie in (0, 1).
std::vector<double> parse_levels(const std::vector<std::string>& texts, const std::string& option);

}  // namespace carousel
