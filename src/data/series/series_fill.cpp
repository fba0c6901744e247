#include "data/series/series_fill.h"

#include <cmath>

namespace carousel {

Series carry_forward(Series series, double before) {
  const auto width = static_cast<std::size_t>(series.column_count());
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (std::isnan(series.values[i])) series.values[i] = i < width ? before : series.values[i - width];
  }
  return series;
}

Series interpolate(Series series, double without) {
  const std::int64_t width = series.column_count(), rows = series.time_steps();
  const auto value = [&](std::int64_t t, std::int64_t c) -> double& {
    return series.values[static_cast<std::size_t>(t * width + c)];
  };
  for (std::int64_t c = 0; c < width; ++c) {
    std::int64_t known = -1;  // the last known row; none yet
    for (std::int64_t t = 0; t <= rows; ++t) {
      if (t < rows && std::isnan(value(t, c))) continue;
      const double before = known >= 0 ? value(known, c) : t < rows ? value(t, c) : without;
      const double step = known >= 0 && t < rows ? (value(t, c) - before) / static_cast<double>(t - known) : 0;
      for (std::int64_t gap = known + 1; gap < t; ++gap) {
        value(gap, c) = before + step * static_cast<double>(gap - known);
      }
      known = t;
    }
  }
  return series;
}

}  // namespace carousel
