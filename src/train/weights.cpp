#include "train/weights.h"

#include <algorithm>

namespace carousel {

WeightCopy::WeightCopy(const std::vector<Parameter*>& parameters) : parameters_(parameters) {
  values_.reserve(parameters_.size());
  for (const Parameter* parameter : parameters_) values_.push_back(parameter->value);
}

void WeightCopy::take() noexcept {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    std::ranges::copy(parameters_[i]->value.span(), values_[i].data());
  }
}

void WeightCopy::put_back() const noexcept {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    std::ranges::copy(values_[i].span(), parameters_[i]->value.data());
  }
}

void WeightCopy::exchange() noexcept {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    std::ranges::swap_ranges(values_[i].span(), parameters_[i]->value.span());
  }
}

void WeightCopy::average(double decay) noexcept {
  const auto rest = static_cast<float>(1 - decay);
  for (std::size_t i = 0; i < values_.size(); ++i) {
    float* average = values_[i].data();
    const float* w = parameters_[i]->value.data();
    const std::int64_t count = values_[i].elements();
    for (std::int64_t j = 0; j < count; ++j) average[j] += rest * (w[j] - average[j]);
  }
}

}  // namespace carousel
