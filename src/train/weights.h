// weights.h: copies of all weights of a model: the best ones kept aside, and their moving average.
#pragma once

#include <vector>

#include "carousel/autograd.h"

namespace carousel {

// One copy of the values of some parameters, which it borrows. The memory is taken once, when it is made.
class WeightCopy {
 public:
  explicit WeightCopy(const std::vector<Parameter*>& parameters);  // copies the values of now

  void take() noexcept;            // copies the values of now
  void put_back() const noexcept;  // the parameters get the copied values
  void exchange() noexcept;        // copy and parameters change places

  std::vector<Tensor>& values() noexcept { return values_; }  // in the order of the parameters; for checkpoints

  // copy = decay copy + (1 - decay) w, an exponential moving average over the steps.
  void average(double decay) noexcept;

 private:
  std::vector<Parameter*> parameters_;
  std::vector<Tensor> values_;
};

}  // namespace carousel
