// stream_recurrent.cpp: a stack of recurrent layers, one step of some sequences.
#include <algorithm>

#include "base/fail.h"
#include "cells/stream_layer.h"
#include "models/stream_program.h"

namespace carousel::detail {
namespace {

class RecurrentStep final : public StreamOp {
 public:
  RecurrentStep(Recurrent& layer, const StreamPlan& plan) : cell_(find_cell(layer.options().cell)) {
    const RecurrentOptions& o = layer.options();
    if (o.bidirectional) fail(Code::kUsage, "a bidirectional network needs the whole sequence: it cannot be streamed");
    hidden_size_ = o.hidden_size;
    input_size = o.input_size;
    output_size = layer.output_size();
    const std::vector<Parameter*> parameters = layer.parameters();
    auto next = parameters.begin();
    for (std::int64_t l = 0; l < o.layers; ++l) {
      StreamLayerWeights weights{.cell = &cell_,
                                 .input_size = l == 0 ? o.input_size : output_size,
                                 .recurrent_size = output_size,
                                 .hidden_size = hidden_size_};
      weights.weight_ih = (*next++)->value.data();
      weights.weight_hh = (*next++)->value.data();
      if (o.bias) {
        weights.bias_ih = (*next++)->value.data();
        weights.bias_hh = (*next++)->value.data();
      }
      if (o.proj_size > 0) weights.weight_hr = (*next++)->value.data();
      kernels_.emplace_back(weights, plan.format, plan.rows());
    }
    length_ = kernels_[0].state_length();
    states_.resize(static_cast<std::size_t>(plan.capacity * slot_size()));
  }

  void run(StreamSlots slots, const float* input, float* output, std::byte* workspace) noexcept override {
    StreamRows rows;
    rows.count = static_cast<int>(slots.size());
    for (int r = 0; r < rows.count; ++r) rows.x[r] = input + r * input_size;
    for (std::size_t l = 0; l < kernels_.size(); ++l) {
      for (int k = 0; k < cell_.state_count(); ++k) {
        for (int r = 0; r < rows.count; ++r) rows.states[k][r] = state(slots[static_cast<std::size_t>(r)], l, k);
      }
      kernels_[l].step(rows, workspace);
      std::copy_n(rows.states[0], rows.count, rows.x);
    }
    for (int r = 0; r < rows.count; ++r) std::copy_n(rows.x[r], output_size, output + r * output_size);
  }

  void reset(std::int32_t slot) noexcept override { std::fill_n(state(slot, 0, 0), slot_size(), 0.0f); }

  void save(std::int32_t slot, std::vector<Tensor>& values) const override {
    for (int k = 0; k < cell_.state_count(); ++k) {
      Tensor value(shape(k));
      for (std::size_t l = 0; l < kernels_.size(); ++l) {
        std::copy_n(states_.data() + offset(slot, l, k), width(k),
                    value.data() + static_cast<std::int64_t>(l) * width(k));
      }
      values.push_back(std::move(value));
    }
  }

  void check(std::span<const Tensor> values, std::size_t& next) const override {
    for (int k = 0; k < cell_.state_count(); ++k, ++next) {
      if (next < values.size() && values[next].shape() == shape(k)) continue;
      fail(Code::kUsage, "state tensor {} has shape {}, the network needs {}", next,
           next < values.size() ? values[next].shape().to_string() : "(none)", shape(k).to_string());
    }
  }

  void load(std::int32_t slot, std::span<const Tensor> values, std::size_t& next) noexcept override {
    for (int k = 0; k < cell_.state_count(); ++k, ++next) {
      for (std::size_t l = 0; l < kernels_.size(); ++l) {
        std::copy_n(values[next].data() + static_cast<std::int64_t>(l) * width(k), width(k), state(slot, l, k));
      }
    }
  }

  std::int64_t workspace_bytes() const noexcept override {
    std::int64_t most = 0;
    for (const StreamLayer& kernel : kernels_) most = std::max(most, kernel.workspace_bytes());
    return most;
  }

 private:
  std::int64_t width(int state) const noexcept { return state == 0 ? output_size : hidden_size_; }
  Shape shape(int state) const { return {std::ssize(kernels_), 1, width(state)}; }

  // states_ is [capacity, layers, states of the cell, length_].
  std::int64_t slot_size() const noexcept { return std::ssize(kernels_) * cell_.state_count() * length_; }
  std::int64_t offset(std::int32_t slot, std::size_t layer, int state) const noexcept {
    return slot * slot_size() + (static_cast<std::int64_t>(layer) * cell_.state_count() + state) * length_;
  }
  float* state(std::int32_t slot, std::size_t layer, int state) noexcept {
    return states_.data() + offset(slot, layer, state);
  }

  const Cell& cell_;
  std::int64_t hidden_size_ = 0, length_ = 0;
  std::vector<StreamLayer> kernels_;
  StreamBuffer states_;
};

}  // namespace

std::unique_ptr<StreamOp> compile_recurrent(Recurrent& layer, const StreamPlan& plan) {
  return std::make_unique<RecurrentStep>(layer, plan);
}

}  // namespace carousel::detail
