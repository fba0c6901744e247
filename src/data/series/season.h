// season.h: the period of a series, found in its training part.
//
// The autocorrelation r of the detrended column is searched for a peak at a period that the time column suggests (a
// month is a twelfth of a year ...), then at any local maximum. A peak counts if it is high enough and stands out from
// the valley before it. A column that wanders, so that the wandering hides the period, is differenced and searched
// again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/series/series_split.h"

namespace carousel {

// r[k] = sum_t x_t x_(t+k) / sum_t x_t^2 of the values about their mean, k = 0 .. max_lag. All 0 for constant values.
std::vector<double> autocorrelation(std::span<const double> values, std::int64_t max_lag);

// The season of one column in steps; 1 if nothing is convincing or fewer than two and a half periods fit.
std::int64_t detect_season(const Series& series, std::int64_t column, const TrainingRange& training);

// The season that most of the columns have (of equals the shortest).
std::int64_t detect_season(const Series& series, std::span<const std::int64_t> columns, const TrainingRange& training);

}  // namespace carousel
