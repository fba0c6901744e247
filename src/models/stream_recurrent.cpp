// stream_recurrent.cpp: a stack of recurrent layers, one step at batch 1.
#include <algorithm>

#include "base/aligned.h"
#include "base/fail.h"
#include "cells/cell.h"
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
  Buffer weight_ih, weight_hh, weight_hr;  // packed
  Buffer bias_a, bias_q;                   // [G H]; empty: none
  std::vector<Buffer> states;
  std::int64_t input_size = 0;
};

class RecurrentStep final : public StreamOp {
 public:
  explicit RecurrentStep(Recurrent& layer) : cell_(find_cell(layer.options().cell)) {
    const RecurrentOptions& o = layer.options();
    if (o.bidirectional) fail(Code::kUsage, "a bidirectional network needs the whole sequence: it cannot be streamed");
    hidden_size_ = o.hidden_size;
    width_ = cell_.gate_count() * o.hidden_size;
    projected_ = o.proj_size > 0;
    input_size = o.input_size;
    output_size = layer.output_size();
    const std::vector<Parameter*> parameters = layer.parameters();
    auto next = parameters.begin();
    for (std::int64_t l = 0; l < o.layers; ++l) {
      LayerStep step;
      step.input_size = l == 0 ? o.input_size : output_size;
      step.weight_ih = packed_transpose((*next++)->value);
      step.weight_hh = packed_transpose((*next++)->value);
      if (o.bias) {
        const Tensor &ih = (*next++)->value, &hh = (*next++)->value;
        set_biases(step, ih, hh);
      }
      if (projected_) step.weight_hr = packed_transpose((*next++)->value);
      for (int k = 0; k < cell_.state_count(); ++k) step.states.emplace_back(static_cast<std::size_t>(state_width(k)));
      layers_.push_back(std::move(step));
    }
    a_.resize(static_cast<std::size_t>(width_));
    q_.resize(static_cast<std::size_t>(width_));
    unprojected_.resize(static_cast<std::size_t>(hidden_size_));
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
        to = std::copy(layer.states[static_cast<std::size_t>(k)].begin(),
                       layer.states[static_cast<std::size_t>(k)].end(), to);
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

  void set_biases(LayerStep& layer, const Tensor& ih, const Tensor& hh) const {
    layer.bias_a.assign(ih.data(), ih.data() + width_);
    if (cell_.split_gates) {
      layer.bias_q.assign(hh.data(), hh.data() + width_);
    } else {
      for (std::int64_t j = 0; j < width_; ++j) layer.bias_a[static_cast<std::size_t>(j)] += hh[j];
    }
  }

  void step(LayerStep& layer, const float* input) noexcept {
    StepForward<float> s;
    s.rows = 1;
    s.hidden_size = hidden_size_;
    s.a = a_.data();
    s.bias_a = layer.bias_a.empty() ? nullptr : layer.bias_a.data();
    s.bias_q = layer.bias_q.empty() ? nullptr : layer.bias_q.data();
    kernels::multiply_packed<float>(1, width_, layer.input_size, input, layer.input_size, layer.weight_ih.data(), 0.0f,
                                    s.a, width_);
    float* product = cell_.split_gates ? q_.data() : s.a;
    kernels::multiply_packed<float>(1, width_, output_size, layer.states[0].data(), output_size, layer.weight_hh.data(),
                                    cell_.split_gates ? 0.0f : 1.0f, product, width_);
    s.q = cell_.split_gates ? product : nullptr;
    for (int k = 0; k < cell_.state_count(); ++k) {
      s.previous[k] = s.next[k] = layer.states[static_cast<std::size_t>(k)].data();
    }
    if (projected_) {
      s.previous[0] = nullptr;
      s.next[0] = unprojected_.data();
    }
    cell_.step(s);
    if (projected_) {
      kernels::multiply_packed<float>(1, output_size, hidden_size_, unprojected_.data(), hidden_size_,
                                      layer.weight_hr.data(), 0.0f, layer.states[0].data(), output_size);
    }
  }

  const Cell& cell_;
  std::int64_t hidden_size_ = 0, width_ = 0;
  bool projected_ = false;
  std::vector<LayerStep> layers_;
  Buffer a_, q_, unprojected_;
};

}  // namespace

std::unique_ptr<StreamOp> compile_recurrent(Recurrent& layer) { return std::make_unique<RecurrentStep>(layer); }

}  // namespace carousel::detail
