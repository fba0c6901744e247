// lagged_moments.h: the moments of all windows of a series, without making the windows.
//
// The product of lags i and j summed over the windows differs from that of lags i-1 and j-1 by one window that enters
// and one that leaves, so that all (lags C)^2 sums cost lags C^2 samples products and not (lags C)^2 samples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/series/series_split.h"
#include "tasks/baselines/ridge.h"

namespace carousel {

// Columns that are read, as (value - mean) / deviation.
struct LagColumns {
  std::vector<std::int64_t> inputs;     // columns of the window
  std::vector<std::int64_t> outputs;    // columns of the target
  std::vector<double> mean, deviation;  // [C], of all columns of the series
};

// Samples: the windows of `window` rows that end in front of the origins first .. last, with the `horizon` rows after
// them. x = window rows, oldest first, of the input columns [window * inputs]; y = [horizon * outputs]. Count 0 if
// last < first. A missing value counts as the last known one before it. REQUIRES: first >= window, last + horizon <=
// time steps.
struct LagWindows {
  std::int64_t window = 1, horizon = 1, first = 0, last = -1;
};
Moments lagged_moments(const Series& series, const LagColumns& columns, const LagWindows& windows);

}  // namespace carousel
