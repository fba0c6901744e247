#include "data/series/scaler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.h"

namespace carousel {

Scaler::Scaler(std::vector<double> mean, std::vector<double> deviation)
    : mean_(std::move(mean)), deviation_(std::move(deviation)) {
  if (mean_.size() != deviation_.size()) {
    fail(Code::kModel, "scaler: {} means and {} deviations, expected as many of both", mean_.size(), deviation_.size());
  }
  for (std::size_t c = 0; c < mean_.size(); ++c) {
    if (!std::isfinite(mean_[c]) || !std::isfinite(deviation_[c]) || deviation_[c] <= 0) {
      fail(Code::kModel, "scaler: column {} has mean {} and deviation {}, expected finite numbers, deviation above 0",
           c, mean_[c], deviation_[c]);
    }
  }
}

Scaler Scaler::fit(const Series& series, const TrainingRange& training) {
  if (training.size() <= 0) fail(Code::kData, "series '{}': the training part is empty", series.id);
  Scaler scaler;
  const auto count = static_cast<double>(training.size());
  for (std::int64_t c = 0; c < series.column_count(); ++c) {
    double sum = 0, squares = 0, largest = 0;
    for (std::int64_t t = training.begin(); t < training.end(); ++t) {
      sum += series.at(t, c);
      largest = std::max(largest, std::abs(series.at(t, c)));
    }
    const double mean = sum / count;
    for (std::int64_t t = training.begin(); t < training.end(); ++t) {
      squares += (series.at(t, c) - mean) * (series.at(t, c) - mean);
    }
    const double deviation = std::sqrt(squares / count);
    // A constant column leaves a deviation of rounding size: n additions err by about n ulp of the sum at most.
    constexpr double kRounding = 1e-13;
    scaler.mean_.push_back(mean);
    scaler.deviation_.push_back(deviation > kRounding * largest ? deviation : 1.0);
  }
  return scaler;
}

Series Scaler::transform(const Series& series) const {
  if (series.column_count() != column_count()) {
    fail(Code::kUsage, "scaler: series '{}' has {} columns, expected {}", series.id, series.column_count(),
         column_count());
  }
  Series scaled = series;
  for (std::size_t i = 0; i < scaled.values.size(); ++i) {
    scaled.values[i] = transform(scaled.values[i], static_cast<std::int64_t>(i % mean_.size()));
  }
  return scaled;
}

void Scaler::inverse(std::span<double> values, std::span<const std::int64_t> columns) const {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = inverse(values[i], columns[i % columns.size()]);
}

Scaler Scaler::select(std::span<const std::int64_t> columns) const {
  Scaler chosen;
  for (std::int64_t column : columns) {
    chosen.mean_.push_back(mean_[static_cast<std::size_t>(column)]);
    chosen.deviation_.push_back(deviation_[static_cast<std::size_t>(column)]);
  }
  return chosen;
}

}  // namespace carousel
