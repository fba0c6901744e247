// stream_layers.cpp: the layers other than recurrent ones, one step of some sequences, and their composition.
//
// Each row is computed by itself or by a kernel that gives a row the same bits alone and beside others.
#include <algorithm>
#include <cmath>
#include <typeinfo>

#include "base/fail.h"
#include "kernels/packed_matrix.h"
#include "kernels/pointwise.h"
#include "layers/module.h"
#include "layers/output/adaptive_softmax.h"
#include "layers/output/tied_linear.h"
#include "layers/tokens/token_inputs.h"
#include "models/stream_program.h"

namespace carousel::detail {
namespace {

std::int64_t whole_lines(std::int64_t bytes) {
  const auto line = static_cast<std::int64_t>(kAlignment);
  return (bytes + line - 1) / line * line;
}

// An operation without state whose rows do not meet.
class RowStep : public StreamOp {
 public:
  void run(StreamSlots slots, const float* input, float* output, std::byte*) noexcept override {
    for (std::size_t r = 0; r < slots.size(); ++r, input += input_size, output += output_size) run_row(input, output);
  }

 private:
  virtual void run_row(const float* input, float* output) noexcept = 0;
};

class LinearStep final : public StreamOp {
 public:
  LinearStep(const Tensor& weight, const Tensor& bias) {
    output_size = weight.shape()[0];
    input_size = weight.shape()[1];
    packed_.resize(static_cast<std::size_t>(kernels::packed_size(input_size, output_size)));
    kernels::pack<float>(kernels::Op::kTransposed, input_size, output_size, weight.data(), input_size, packed_.data());
    bias_.assign(static_cast<std::size_t>(output_size), 0.0f);
    std::copy_n(bias.data(), bias.elements(), bias_.data());
  }
  void run(StreamSlots slots, const float* input, float* output, std::byte*) noexcept override {
    for (std::size_t r = 0; r < slots.size(); ++r) {
      std::copy(bias_.begin(), bias_.end(), output + static_cast<std::int64_t>(r) * output_size);
    }
    kernels::multiply_packed<float>(std::ssize(slots), output_size, input_size, input, input_size, packed_.data(), 1.0f,
                                    output, output_size);
  }

 private:
  StreamBuffer packed_, bias_;
};

class AdaptiveSoftmaxStep final : public StreamOp {
 public:
  explicit AdaptiveSoftmaxStep(AdaptiveSoftmax& layer) {
    input_size = layer.head().value.shape()[1];
    output_size = layer.vocabulary_size();
    layer_ = std::make_unique<AdaptiveSoftmax>(input_size, output_size, layer.head_size());
    const auto from = layer.parameters(), to = layer_->parameters();
    for (std::size_t k = 0; k < to.size(); ++k) to[k]->value = from[k]->value;
  }
  void run(StreamSlots slots, const float* input, float* output, std::byte* workspace) noexcept override {
    for (std::size_t r = 0; r < slots.size(); ++r, input += input_size, output += output_size) {
      layer_->log_probabilities(input, output, reinterpret_cast<float*>(workspace));
    }
  }
  std::int64_t workspace_bytes() const noexcept override {
    return whole_lines(layer_->workspace_size() * static_cast<std::int64_t>(sizeof(float)));
  }

 private:
  std::unique_ptr<AdaptiveSoftmax> layer_;  // a copy
};

class ScaleStep final : public RowStep {
 public:
  explicit ScaleStep(const Scale& layer) : factor_(layer.factor.value), offset_(layer.offset.value) {
    input_size = output_size = factor_.elements();
  }

 private:
  void run_row(const float* input, float* output) noexcept override {
    for (std::int64_t j = 0; j < output_size; ++j) output[j] = factor_[j] * input[j] + offset_[j];
  }
  Tensor factor_, offset_;
};

class LayerNormStep final : public RowStep {
 public:
  explicit LayerNormStep(const LayerNorm& layer) : gain_(layer.weight.value), bias_(layer.bias.value) {
    input_size = output_size = gain_.elements();
  }

 private:
  void run_row(const float* input, float* output) noexcept override {
    double mean = 0, variance = 0;
    for (std::int64_t j = 0; j < output_size; ++j) mean += input[j];
    mean /= static_cast<double>(output_size);
    for (std::int64_t j = 0; j < output_size; ++j) variance += (input[j] - mean) * (input[j] - mean);
    const double scale = 1 / std::sqrt(variance / static_cast<double>(output_size) + 1e-5);
    for (std::int64_t j = 0; j < output_size; ++j) {
      output[j] = static_cast<float>((input[j] - mean) * scale) * gain_[j] + bias_[j];
    }
  }
  Tensor gain_, bias_;
};

class ActivationStep final : public RowStep {
 public:
  ActivationStep(std::string kind, std::int64_t size) : kind_(std::move(kind)) { input_size = output_size = size; }

 private:
  void run_row(const float* input, float* output) noexcept override {
    const std::span<const float> in(input, static_cast<std::size_t>(input_size));
    const std::span<float> out(output, static_cast<std::size_t>(output_size));
    if (kind_ == "tanh") kernels::tanh(in, out);
    if (kind_ == "sigmoid") kernels::sigmoid(in, out);
    if (kind_ == "relu") kernels::relu(in, out);
    if (kind_ == "gelu") kernels::gelu(in, out);
  }
  std::string kind_;
};

// Holds the last time_steps inputs of every sequence, oldest first; zeros before the first.
class FlattenStep final : public StreamOp {
 public:
  FlattenStep(std::int64_t time_steps, std::int64_t size, int capacity) : shape_({time_steps, 1, size}) {
    input_size = size;
    output_size = time_steps * size;
    windows_.resize(static_cast<std::size_t>(capacity * output_size));
  }
  void run(StreamSlots slots, const float* input, float* output, std::byte*) noexcept override {
    for (const std::int32_t slot : slots) {
      float* const window = windows_.data() + slot * output_size;
      std::copy(window + input_size, window + output_size, window);
      std::copy_n(input, input_size, window + output_size - input_size);
      output = std::copy_n(window, output_size, output);
      input += input_size;
    }
  }
  void reset(std::int32_t slot) noexcept override {
    std::fill_n(windows_.data() + slot * output_size, output_size, 0.0f);
  }
  void save(std::int32_t slot, std::vector<Tensor>& values) const override {
    values.emplace_back(shape_);
    std::copy_n(windows_.data() + slot * output_size, output_size, values.back().data());
  }
  void check(std::span<const Tensor> values, std::size_t& next) const override {
    if (next >= values.size() || !(values[next].shape() == shape_)) {
      fail(Code::kUsage, "state tensor {} does not fit: the network needs {}", next, shape_.to_string());
    }
    ++next;
  }
  void load(std::int32_t slot, std::span<const Tensor> values, std::size_t& next) noexcept override {
    std::copy_n(values[next++].data(), output_size, windows_.data() + slot * output_size);
  }

 private:
  Shape shape_;
  StreamBuffer windows_;  // [capacity, time_steps, C]
};

using StreamOps = std::vector<std::unique_ptr<StreamOp>>;

// Operations that make up one; each keeps its own state.
class ComposedStep : public StreamOp {
 public:
  ComposedStep(StreamOps parts, int rows) : parts_(std::move(parts)) {
    std::int64_t widest = 0;
    for (const auto& part : parts_) {
      widest = std::max(widest, part->output_size);
      workspace_of_parts_ = std::max(workspace_of_parts_, part->workspace_bytes());
    }
    buffer_bytes_ = whole_lines(rows * widest * static_cast<std::int64_t>(sizeof(float)));
  }
  void reset(std::int32_t slot) noexcept override {
    for (const auto& part : parts_) part->reset(slot);
  }
  void save(std::int32_t slot, std::vector<Tensor>& values) const override {
    for (const auto& part : parts_) part->save(slot, values);
  }
  void check(std::span<const Tensor> values, std::size_t& next) const override {
    for (const auto& part : parts_) part->check(values, next);
  }
  void load(std::int32_t slot, std::span<const Tensor> values, std::size_t& next) noexcept override {
    for (const auto& part : parts_) part->load(slot, values, next);
  }

 protected:
  StreamOps parts_;
  // A workspace is some buffers, each for the widest output of a part, and then what the parts need.
  std::int64_t buffer_bytes_ = 0, workspace_of_parts_ = 0;
};

class SequentialStep final : public ComposedStep {
 public:
  SequentialStep(StreamOps steps, int rows) : ComposedStep(std::move(steps), rows) {
    input_size = parts_.front()->input_size;
    output_size = parts_.back()->output_size;
  }
  void run(StreamSlots slots, const float* input, float* output, std::byte* workspace) noexcept override {
    auto* to = reinterpret_cast<float*>(workspace);
    auto* other = reinterpret_cast<float*>(workspace + buffer_bytes_);
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      if (k + 1 == parts_.size()) to = output;
      parts_[k]->run(slots, input, to, workspace + 2 * buffer_bytes_);
      input = to;
      std::swap(to, other);
    }
  }
  std::int64_t workspace_bytes() const noexcept override { return 2 * buffer_bytes_ + workspace_of_parts_; }
};

class SumStep final : public ComposedStep {
 public:
  SumStep(StreamOps branches, int rows) : ComposedStep(std::move(branches), rows) {
    input_size = parts_.front()->input_size;
    output_size = parts_.front()->output_size;
    for (const auto& branch : parts_) {
      if (branch->input_size != input_size || branch->output_size > output_size) {
        fail(Code::kModel, "sum: the branches do not fit each other in size");
      }
    }
  }
  void run(StreamSlots slots, const float* input, float* output, std::byte* workspace) noexcept override {
    auto* value = reinterpret_cast<float*>(workspace);
    workspace += buffer_bytes_;
    parts_.front()->run(slots, input, output, workspace);
    for (std::size_t k = 1; k < parts_.size(); ++k) {
      parts_[k]->run(slots, input, value, workspace);
      const std::int64_t size = parts_[k]->output_size;  // at most that of the first
      for (std::int64_t j = 0; j < std::ssize(slots) * size; ++j) output[j / size * output_size + j % size] += value[j];
    }
  }
  std::int64_t workspace_bytes() const noexcept override { return buffer_bytes_ + workspace_of_parts_; }
};

// The operation of one layer whose input has `size` features (-1: not known yet); null if a step passes through it.
std::unique_ptr<StreamOp> compile_layer(Module& module, std::int64_t size, const StreamPlan& plan) {
  if (auto* recurrent = dynamic_cast<Recurrent*>(&module)) return compile_recurrent(*recurrent, plan);
  if (auto* linear = dynamic_cast<Linear*>(&module)) {
    return std::make_unique<LinearStep>(linear->weight.value, linear->bias.value);
  }
  if (auto* tied = dynamic_cast<TiedLinear*>(&module)) {
    if (const auto* embedding = dynamic_cast<const Embedding*>(plan.token_input)) {
      const std::int64_t tokens = embedding->weight.value.shape()[0], biases = tied->bias.value.elements();
      if (biases != tokens) fail(Code::kModel, "tied_linear: {} biases for an embedding of {}", biases, tokens);
      return std::make_unique<LinearStep>(embedding->weight.value, tied->bias.value);
    }
  }
  if (auto* adaptive = dynamic_cast<AdaptiveSoftmax*>(&module)) {
    return std::make_unique<AdaptiveSoftmaxStep>(*adaptive);
  }
  if (auto* scale = dynamic_cast<Scale*>(&module)) return std::make_unique<ScaleStep>(*scale);
  if (auto* norm = dynamic_cast<LayerNorm*>(&module)) return std::make_unique<LayerNormStep>(*norm);
  const LayerDescription description = module.describe();
  if (description.type == "dropout" || description.type == "embedding_dropout") return nullptr;
  if (description.type == "pool" && std::get<std::string>(description.settings.at("kind")) == "last") return nullptr;
  if (description.type == "activation" && size > 0) {
    return std::make_unique<ActivationStep>(std::get<std::string>(description.settings.at("kind")), size);
  }
  if (auto* flatten = dynamic_cast<Flatten*>(&module); flatten && size > 0) {
    return std::make_unique<FlattenStep>(flatten->time_steps(), size, plan.capacity);
  }
  fail(Code::kUsage, "a network with a '{}' layer here cannot run step by step", description.type);
}

// The number of features that a network takes, from its first layers; -1 if they do not tell.
std::int64_t input_features(Sequential& network) {
  std::int64_t steps = 1;  // a Flatten before the layer that tells
  for (const auto& [name, module] : network.modules()) {
    if (auto* recurrent = dynamic_cast<Recurrent*>(module.get())) return recurrent->options().input_size;
    if (auto* linear = dynamic_cast<Linear*>(module.get())) return linear->weight.value.shape()[1] / steps;
    if (auto* scale = dynamic_cast<Scale*>(module.get())) return scale->factor.value.elements() / steps;
    if (auto* norm = dynamic_cast<LayerNorm*>(module.get())) return norm->weight.value.elements() / steps;
    if (auto* flatten = dynamic_cast<Flatten*>(module.get())) steps = flatten->time_steps();
    const auto inner = detail::inner_networks(*module);
    if (!inner.empty()) return input_features(*inner.front().second);
  }
  return -1;
}

// As compile_sequential, for a network whose input has `size` features (-1: not known yet).
std::unique_ptr<StreamOp> compile(Sequential& network, std::int64_t size, const StreamPlan& plan) {
  StreamOps steps;
  for (const auto& [name, module] : network.modules()) {
    if (module.get() == plan.token_input) {
      size = plan.token_size;
      continue;
    }
    std::unique_ptr<StreamOp> step;
    if (auto* sum = dynamic_cast<Sum*>(module.get())) {
      StreamOps branches;
      for (Sequential& branch : sum->branches()) branches.push_back(compile(branch, size, plan));
      step = std::make_unique<SumStep>(std::move(branches), plan.rows());
    } else if (auto* inner = dynamic_cast<Sequential*>(module.get()); inner && typeid(*inner) == typeid(Sequential)) {
      step = compile(*inner, size, plan);
    } else {
      step = compile_layer(*module, size, plan);
    }
    if (!step) continue;
    if (size >= 0 && step->input_size != size) {
      fail(Code::kModel, "layer '{}' takes {} features, the layer below gives {}", name, step->input_size, size);
    }
    size = step->output_size;
    steps.push_back(std::move(step));
  }
  if (steps.empty()) fail(Code::kUsage, "an empty network cannot be streamed");
  return std::make_unique<SequentialStep>(std::move(steps), plan.rows());
}

}  // namespace

Module* first_token_input(const Sequential& network) {
  if (network.modules().empty()) return nullptr;
  Module* first = network.modules().front().second.get();
  if (const auto* inner = dynamic_cast<const Sequential*>(first)) return first_token_input(*inner);
  return is_token_input(first->describe().type) ? first : nullptr;
}

std::unique_ptr<StreamOp> compile_sequential(Sequential& network, const StreamPlan& plan) {
  return compile(network, input_features(network), plan);
}

void set_state(StreamOp& program, std::int32_t slot, const State& state) {
  std::size_t next = 0;
  program.check(state.values, next);
  if (next != state.values.size())
    fail(Code::kUsage, "the state has {} tensors, the network needs {}", state.values.size(), next);
  next = 0;
  program.load(slot, state.values, next);
}

State state_of(const StreamOp& program, std::int32_t slot) {
  State state;
  program.save(slot, state.values);
  return state;
}

}  // namespace carousel::detail
