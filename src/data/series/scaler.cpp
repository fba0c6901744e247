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

namespace {

void check_positive(const Series& series, std::int64_t begin, std::int64_t end) {
  for (std::int64_t t = begin; t < end; ++t) {
    for (std::int64_t c = 0; c < series.column_count(); ++c) {
      if (series.at(t, c) > 0) continue;
      fail(Code::kData, "series '{}': value {} at step {}; its logarithm is learnt, which needs values above 0",
           series.id, series.at(t, c), t);
    }
  }
}

}  // namespace

Scaler Scaler::fit(const Series& series, const TrainingRange& training, Of of) {
  if (training.size() <= 0) fail(Code::kData, "series '{}': the training part is empty", series.id);
  if (of == Of::kLogarithms) check_positive(series, training.begin(), training.end());
  Scaler scaler;
  scaler.of_ = of;
  const auto at = [&](std::int64_t t, std::int64_t c) {
    return of == Of::kValues ? series.at(t, c) : std::log(series.at(t, c));
  };
  const auto count = static_cast<double>(training.size());
  for (std::int64_t c = 0; c < series.column_count(); ++c) {
    double sum = 0, squares = 0, largest = 0;
    for (std::int64_t t = training.begin(); t < training.end(); ++t) {
      sum += at(t, c);
      largest = std::max(largest, std::abs(at(t, c)));
    }
    const double mean = sum / count;
    for (std::int64_t t = training.begin(); t < training.end(); ++t) {
      squares += (at(t, c) - mean) * (at(t, c) - mean);
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
  if (of_ == Of::kLogarithms) check_positive(series, 0, series.time_steps());
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
  chosen.of_ = of_;
  for (std::int64_t column : columns) {
    chosen.mean_.push_back(mean_[static_cast<std::size_t>(column)]);
    chosen.deviation_.push_back(deviation_[static_cast<std::size_t>(column)]);
  }
  return chosen;
}

}  // namespace carousel
