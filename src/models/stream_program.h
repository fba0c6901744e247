// stream_program.h: a network compiled to a list of operations on one time step. Internal to models/stream*.cpp.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "carousel/layers.h"
#include "cells/stream_layer.h"

namespace carousel::detail {

// One operation of a step: reads `input`, writes `output`; owns its state. Runs without allocating or throwing.
class StreamOp {
 public:
  virtual ~StreamOp() = default;
  virtual void run(const float* input, float* output) noexcept = 0;
  virtual void reset() noexcept {}
  // Its state as tensors, appended in the order of State; and back, taking from `values` and moving `next` on.
  virtual void save(std::vector<Tensor>& values) const { static_cast<void>(values); }
  virtual void check(std::span<const Tensor> values, std::size_t& next) const {
    static_cast<void>(values);
    static_cast<void>(next);
  }
  virtual void load(std::span<const Tensor> values, std::size_t& next) noexcept {
    static_cast<void>(values);
    static_cast<void>(next);
  }
  std::int64_t input_size = 0, output_size = 0;
};

// The operations of a network, one after another; `format` is that of the recurrent weights. Throws Error{kUsage} for a
// layer that cannot run step by step.
std::unique_ptr<StreamOp> compile_sequential(Sequential& network, WeightFormat format);

// The operation of one recurrent stack.
std::unique_ptr<StreamOp> compile_recurrent(Recurrent& layer, WeightFormat format);

}  // namespace carousel::detail
