// scaler.h: a series in the units of a network, and back: a transform of the values, then (value - shift) / factor, per
// column.
//
// Fitted on a training part and on nothing else: fit() takes a TrainingRange, which only a split makes. The numbers are
// stored in the model file; a Scaler made from stored numbers is the same scaler. A value object.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/series/series_split.h"

namespace carousel {

//                shift    factor
//   standard     mean     deviation, sqrt(sum (x - mean)^2 / n)
//   min-max      minimum  maximum - minimum
//   robust       median   quartile 3 - quartile 1
//   mean         0        mean of |x|, as DeepAR has it (Salinas et al. 2020)
//   none         0        1
enum class Scaling { kStandard, kMinMax, kRobust, kMean, kNone };
//   none                 x
//   log                  log x; for counts and amounts, whose swings grow with their level; never below zero
//   box-cox              (x^l - 1) / l, of l = 0 log x (Box and Cox 1964); l from 0 to 2 of the greatest likelihood
//   difference           x_t - x_(t-1)
//   seasonal-difference  x_t - x_(t-season)
enum class Transform { kNone, kLog, kBoxCox, kDifference, kSeasonalDifference };

// By the names above. Throw Error{kUsage} that lists them.
Scaling parse_scaling(std::string_view name);
Transform parse_transform(std::string_view name);

struct ScalerOptions {
  Scaling scaling = Scaling::kStandard;
  Transform transform = Transform::kNone;
  std::int64_t transformed = 0;  // columns, the first ones, that are transformed: the targets
  std::int64_t season = 1;
};

// What is done to one column.
struct ColumnScaling {
  double shift = 0, factor = 1;
  Transform transform = Transform::kNone;
  double lambda = 0;     // kBoxCox
  std::int64_t lag = 0;  // of differences
  bool operator==(const ColumnScaling&) const noexcept = default;
};

class Scaler {
 public:
  Scaler() = default;  // no columns

  // As stored. Throws Error{kModel} if a number is not finite, a factor not positive, a lambda or lag out of range.
  explicit Scaler(std::vector<ColumnScaling> columns);

  // Missing values are left out. A column that does not change in the training part gets factor 1. Throws Error{kData}
  // if the training part is empty, or has a value that is not above 0 where a logarithm or Box-Cox is wanted.
  static Scaler fit(const Series& series, const TrainingRange& training, const ScalerOptions& options = {});
  // One scaler for several series: training parts of the same columns. REQUIRES: as many parts as series.
  static Scaler fit(std::span<const Series> series, std::span<const SeriesSplit> splits,
                    const ScalerOptions& options = {});

  std::int64_t column_count() const noexcept { return static_cast<std::int64_t>(columns_.size()); }
  const std::vector<ColumnScaling>& columns() const noexcept { return columns_; }

  // A scaled copy, missing where the value or the one that it differs from is. Throws Error{kUsage} if the column
  // counts differ, Error{kData} for a logarithm or Box-Cox of a value that is not above 0.
  Series transform(const Series& series) const;

  // A scaled value of a column back to the units of the data; of differences: the difference.
  double inverse(double scaled, std::int64_t column) const noexcept;
  // path [steps, columns.size()]: what inverse() gave for the rows origin, origin + 1 ... of a series; differences are
  // added up from the last known values before the origin. Other columns stay as they are.
  void add_up(const Series& series, std::int64_t origin, std::span<const std::int64_t> columns,
              std::span<double> path) const;

 private:
  std::vector<ColumnScaling> columns_;
};

}  // namespace carousel
