// scaler.h: (value - mean) / deviation, per column, and back.
//
// Fitted on a training part and on nothing else: fit() takes a TrainingRange, which only a split makes. The numbers are
// stored in the model file; a Scaler made from stored numbers is the same scaler. A value object.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/series/series_split.h"

namespace carousel {

class Scaler {
 public:
  Scaler() = default;  // no columns
  // As stored. Throws Error{kModel} if the counts differ, or a number is not finite or a deviation not positive.
  Scaler(std::vector<double> mean, std::vector<double> deviation);

  // mean = sum x / n, deviation = sqrt(sum (x - mean)^2 / n) over the training rows, n of them, for each column. A
  // column that does not change there gets deviation 1. Throws Error{kData} if the training part is empty.
  static Scaler fit(const Series& series, const TrainingRange& training);

  std::int64_t column_count() const noexcept { return static_cast<std::int64_t>(mean_.size()); }
  const std::vector<double>& mean() const noexcept { return mean_; }
  const std::vector<double>& deviation() const noexcept { return deviation_; }
  double transform(double value, std::int64_t column) const noexcept {
    return (value - mean_[static_cast<std::size_t>(column)]) / deviation_[static_cast<std::size_t>(column)];
  }
  double inverse(double scaled, std::int64_t column) const noexcept {
    return scaled * deviation_[static_cast<std::size_t>(column)] + mean_[static_cast<std::size_t>(column)];
  }

  Series transform(const Series& series) const;  // a scaled copy; throws Error{kUsage} if the column counts differ
  // values [rows, columns.size()], where values[r, j] belongs to column columns[j], back to the units of the data.
  void inverse(std::span<double> values, std::span<const std::int64_t> columns) const;
  // The same scaler for some of the columns, in the order given.
  Scaler select(std::span<const std::int64_t> columns) const;

 private:
  std::vector<double> mean_, deviation_;  // [C]
};

}  // namespace carousel
