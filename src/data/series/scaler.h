// scaler.h: (value - mean) / deviation, per column, and back; or the same with the logarithms of the values, for counts
// and amounts, whose swings grow with their level and which never fall below zero.
//
// Fitted on a training part and on nothing else: fit() takes a TrainingRange, which only a split makes. The numbers are
// stored in the model file; a Scaler made from stored numbers is the same scaler. A value object.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "data/series/series_split.h"

namespace carousel {

class Scaler {
 public:
  Scaler() = default;  // no columns
  enum class Of { kValues, kLogarithms };

  // As stored. Throws Error{kModel} if the counts differ, or a number is not finite or a deviation not positive.
  Scaler(std::vector<double> mean, std::vector<double> deviation);

  // mean = sum x / n, deviation = sqrt(sum (x - mean)^2 / n) over the training rows, n of them, for each column. A
  // column that does not change there gets deviation 1. Throws Error{kData} if the training part is empty, or for
  // kLogarithms if it has a value that is not above 0.
  static Scaler fit(const Series& series, const TrainingRange& training, Of of = Of::kValues);

  std::int64_t column_count() const noexcept { return static_cast<std::int64_t>(mean_.size()); }
  const std::vector<double>& mean() const noexcept { return mean_; }
  const std::vector<double>& deviation() const noexcept { return deviation_; }
  double transform(double value, std::int64_t column) const noexcept {
    const auto c = static_cast<std::size_t>(column);
    return ((of_ == Of::kValues ? value : std::log(value)) - mean_[c]) / deviation_[c];
  }
  double inverse(double scaled, std::int64_t column) const noexcept {
    const double value =
        scaled * deviation_[static_cast<std::size_t>(column)] + mean_[static_cast<std::size_t>(column)];
    return of_ == Of::kValues ? value : std::exp(value);
  }

  // A scaled copy. Throws Error{kUsage} if the column counts differ, Error{kData} for the logarithm of a value that is
  // not above 0.
  Series transform(const Series& series) const;
  // values [rows, columns.size()], where values[r, j] belongs to column columns[j], back to the units of the data.
  void inverse(std::span<double> values, std::span<const std::int64_t> columns) const;
  // The same scaler for some of the columns, in the order given.
  Scaler select(std::span<const std::int64_t> columns) const;

 private:
  std::vector<double> mean_, deviation_;  // [C]
  Of of_ = Of::kValues;
};

}  // namespace carousel
