// input_noise.h: Gaussian noise on the inputs of training samples (Greff et al. 2017), new in every epoch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

class InputNoise {
 public:
  InputNoise() = default;  // none
  // `deviation` in scaled units: that of column c is deviation * scales[c].
  InputNoise(double deviation, std::uint64_t seed, std::vector<double> scales);

  explicit operator bool() const noexcept { return deviation_ > 0; }
  // Adds noise to the valid steps of `values` [T, N, C], whose column n is the sample numbered samples[n] with
  // lengths[n] steps. A pure function of seed, epoch, sample, step and column: neither the batch nor the threads
  // matter.
  void add(std::int64_t epoch, std::span<const std::int64_t> samples, std::span<const std::int32_t> lengths,
           Tensor& values) const;

 private:
  double deviation_ = 0;
  std::uint64_t seed_ = 0;
  std::vector<double> scales_;
};

}  // namespace carousel
