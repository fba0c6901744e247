#include "tasks/column_scale.h"

#include <cmath>

namespace carousel {

void ScaleSum::add(double value) {
  if (std::isnan(value)) return;
  ++count_;
  const double step = value - mean_;
  mean_ += step / count_;
  squares_ += step * (value - mean_);
}

ColumnScale ScaleSum::scale() const {
  if (count_ == 0) return {};
  const double deviation = std::sqrt(squares_ / count_);
  return {mean_, deviation > 1e-6 * std::abs(mean_) && deviation > 1e-30 ? deviation : 1.0};
}

std::vector<ColumnScale> fit_feature_scales(const Samples& samples, std::span<const std::int64_t> training) {
  std::vector<ScaleSum> sums(static_cast<std::size_t>(samples.features));
  for (const std::int64_t n : training) {
    const Tensor& values = samples.sequences[static_cast<std::size_t>(n)].values;
    for (std::int64_t k = 0; k < values.elements(); ++k) {
      sums[static_cast<std::size_t>(k % samples.features)].add(values[k]);
    }
  }
  std::vector<ColumnScale> scales;
  scales.reserve(sums.size());
  for (const ScaleSum& sum : sums) scales.push_back(sum.scale());
  return scales;
}

std::vector<double> deviations(std::span<const ColumnScale> scales) {
  std::vector<double> list;
  for (const ColumnScale& scale : scales) list.push_back(scale.deviation);
  return list;
}

std::unique_ptr<Scale> scale_layer(std::span<const ColumnScale> scales) {
  Tensor factor({std::ssize(scales)}), offset({std::ssize(scales)});
  for (std::int64_t k = 0; k < factor.elements(); ++k) {
    const ColumnScale& scale = scales[static_cast<std::size_t>(k)];
    factor[k] = static_cast<float>(1 / scale.deviation);
    offset[k] = static_cast<float>(-scale.mean / scale.deviation);
  }
  return std::make_unique<Scale>(std::move(factor), std::move(offset));
}

std::unique_ptr<Scale> unscale_layer(std::span<const ColumnScale> scales) {
  Tensor factor({std::ssize(scales)}), offset({std::ssize(scales)});
  for (std::int64_t k = 0; k < factor.elements(); ++k) {
    factor[k] = static_cast<float>(scales[static_cast<std::size_t>(k)].deviation);
    offset[k] = static_cast<float>(scales[static_cast<std::size_t>(k)].mean);
  }
  return std::make_unique<Scale>(std::move(factor), std::move(offset));
}

}  // namespace carousel
