// column_scale.h: mean and deviation of columns of numbers over the training samples, and the layers that scale by
// them.
//
// x -> (x - mean) / deviation on the way in, x -> x deviation + mean on the way out, per column.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "carousel/layers.h"
#include "tasks/samples.h"

namespace carousel {

// A column that does not change has deviation 1.
struct ColumnScale {
  double mean = 0, deviation = 1;
};

// Mean and deviation of the numbers given one after another, NaN left out (Welford 1962).
class ScaleSum {
 public:
  void add(double value);
  ColumnScale scale() const;

 private:
  double count_ = 0, mean_ = 0, squares_ = 0;
};

// Of each feature, over all steps of the samples `training`: [C].
std::vector<ColumnScale> fit_feature_scales(const Samples& samples, std::span<const std::int64_t> training);

// The deviations alone.
std::vector<double> deviations(std::span<const ColumnScale> scales);

// The layers of one factor and offset per column.
std::unique_ptr<Scale> scale_layer(std::span<const ColumnScale> scales);
std::unique_ptr<Scale> unscale_layer(std::span<const ColumnScale> scales);

}  // namespace carousel
