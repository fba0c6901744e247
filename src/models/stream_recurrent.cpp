// stream_recurrent.cpp: a stack of recurrent layers, one step at batch 1.
#include <algorithm>

#include "base/aligned.h"
#include "base/fail.h"
#include "cells/stream_layer.h"
#include "kernels/packed_matrix.h"
#include "models/stream_program.h"

namespace carousel::detail {
namespace {

using Buffer = std::vector<float, AlignedAllocator<float>>;

Buffer packed_transpose(const Tensor& weight) {
  const std::int64_t n = weight.shape()[0], k = weight.shape()[1];
  Buffer packed(static_cast<std::size_t>(kernels::packed_size(k, n)));
  kernels::pack<float>(kernels::Op::kTransposed, k, n, weight.data(), k, packed.data());
  return packed;
}

struct LayerStep {
  StreamLayer kernel;
  Buffer weight_hr;            // packed; empty: no projection
  std::vector<Buffer> states;  // the first is h [P], the others [H]; all long enough for whole vectors
};

class RecurrentStep final : public StreamOp {
 public:
  RecurrentStep(Recurrent& layer, WeightFormat format) : cell_(find_cell(layer.options().cell)) {
    const RecurrentOptions& o = layer.options();
    if (o.bidirectional) fail(Code::kUsage, "a bidirectional network needs the whole sequence: it cannot be streamed");
    hidden_size_ = o.hidden_size;
    projected_ = o.proj_size > 0;
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
      LayerStep step{StreamLayer(weights, format), {}, {}};
      if (projected_) step.weight_hr = packed_transpose((*next++)->value);
      const std::int64_t length = std::max(step.kernel.padded_units(), output_size);
      step.states.assign(static_cast<std::size_t>(cell_.state_count()), Buffer(static_cast<std::size_t>(length)));
      next_h_.resize(static_cast<std::size_t>(length));
      layers_.push_back(std::move(step));
    }
    reset();
  }

  void run(const float* input, float* output) noexcept override {
    for (LayerStep& layer : layers_) {
      step(layer, input);
      input = layer.states[0].data();
    }
    std::copy_n(input, output_size, output);
  }

  void reset() noexcept override {
    for (LayerStep& layer : layers_) {
      for (Buffer& state : layer.states) std::fill(state.begin(), state.end(), 0.0f);
    }
  }

  void save(std::vector<Tensor>& values) const override {
    for (int k = 0; k < cell_.state_count(); ++k) {
      Tensor value(shape(k));
      float* to = value.data();
      for (const LayerStep& layer : layers_) {
        to = std::copy_n(layer.states[static_cast<std::size_t>(k)].data(), state_width(k), to);
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

  void load(std::span<const Tensor> values, std::size_t& next) noexcept override {
    for (int k = 0; k < cell_.state_count(); ++k, ++next) {
      const float* from = values[next].data();
      for (LayerStep& layer : layers_) {
        std::copy_n(from, state_width(k), layer.states[static_cast<std::size_t>(k)].data());
        from += state_width(k);
      }
    }
  }

 private:
  std::int64_t state_width(int state) const noexcept { return state == 0 ? output_size : hidden_size_; }
  Shape shape(int state) const { return {std::ssize(layers_), 1, state_width(state)}; }

  void step(LayerStep& layer, const float* input) noexcept {
    float* h = layer.states[0].data();
    const float* previous[kMaxStates] = {};
    float* next[kMaxStates] = {};
    for (int k = 0; k < cell_.state_count(); ++k) {
      previous[k] = next[k] = layer.states[static_cast<std::size_t>(k)].data();
    }
    next[0] = next_h_.data();  // h is read until the last unit is done
    layer.kernel.step(input, h, previous, next);
    if (projected_) {
      kernels::multiply_packed<float>(1, output_size, hidden_size_, next_h_.data(), hidden_size_,
                                      layer.weight_hr.data(), 0.0f, h, output_size);
    } else {
      std::swap(layer.states[0], next_h_);
    }
  }

  const Cell& cell_;
  std::int64_t hidden_size_ = 0;
  bool projected_ = false;
  std::vector<LayerStep> layers_;
  Buffer next_h_;
};

}  // namespace

std::unique_ptr<StreamOp> compile_recurrent(Recurrent& layer, WeightFormat format) {
  return std::make_unique<RecurrentStep>(layer, format);
}

}  // namespace carousel::detail
