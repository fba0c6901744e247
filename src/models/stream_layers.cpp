// stream_layers.cpp: the layers other than recurrent ones, one step at batch 1, and their composition.
#include <algorithm>
#include <cmath>

#include "base/aligned.h"
#include "base/fail.h"
#include "kernels/packed_matrix.h"
#include "kernels/pointwise.h"
#include "models/stream_program.h"

namespace carousel::detail {
namespace {

using Buffer = std::vector<float, AlignedAllocator<float>>;

class LinearStep final : public StreamOp {
 public:
  explicit LinearStep(Linear& layer) {
    output_size = layer.weight.value.shape()[0];
    input_size = layer.weight.value.shape()[1];
    packed_.resize(static_cast<std::size_t>(kernels::packed_size(input_size, output_size)));
    kernels::pack<float>(kernels::Op::kTransposed, input_size, output_size, layer.weight.value.data(), input_size,
                         packed_.data());
    bias_.assign(static_cast<std::size_t>(output_size), 0.0f);
    std::copy_n(layer.bias.value.data(), layer.bias.value.elements(), bias_.data());
  }
  void run(const float* input, float* output) noexcept override {
    std::copy(bias_.begin(), bias_.end(), output);
    kernels::multiply_packed<float>(1, output_size, input_size, input, input_size, packed_.data(), 1.0f, output,
                                    output_size);
  }

 private:
  Buffer packed_, bias_;
};

class ScaleStep final : public StreamOp {
 public:
  explicit ScaleStep(const Scale& layer) : factor_(layer.factor.value), offset_(layer.offset.value) {
    input_size = output_size = factor_.elements();
  }
  void run(const float* input, float* output) noexcept override {
    for (std::int64_t j = 0; j < output_size; ++j) output[j] = factor_[j] * input[j] + offset_[j];
  }

 private:
  Tensor factor_, offset_;
};

class LayerNormStep final : public StreamOp {
 public:
  explicit LayerNormStep(const LayerNorm& layer) : gain_(layer.weight.value), bias_(layer.bias.value) {
    input_size = output_size = gain_.elements();
  }
  void run(const float* input, float* output) noexcept override {
    double mean = 0, variance = 0;
    for (std::int64_t j = 0; j < output_size; ++j) mean += input[j];
    mean /= static_cast<double>(output_size);
    for (std::int64_t j = 0; j < output_size; ++j) variance += (input[j] - mean) * (input[j] - mean);
    const double scale = 1 / std::sqrt(variance / static_cast<double>(output_size) + 1e-5);
    for (std::int64_t j = 0; j < output_size; ++j) {
      output[j] = static_cast<float>((input[j] - mean) * scale) * gain_[j] + bias_[j];
    }
  }

 private:
  Tensor gain_, bias_;
};

class ActivationStep final : public StreamOp {
 public:
  ActivationStep(std::string kind, std::int64_t size) : kind_(std::move(kind)) { input_size = output_size = size; }
  void run(const float* input, float* output) noexcept override {
    const std::span<const float> in(input, static_cast<std::size_t>(input_size));
    const std::span<float> out(output, static_cast<std::size_t>(output_size));
    if (kind_ == "tanh") kernels::tanh(in, out);
    if (kind_ == "sigmoid") kernels::sigmoid(in, out);
    if (kind_ == "relu") kernels::relu(in, out);
  }

 private:
  std::string kind_;
};

// Holds the last time_steps inputs, oldest first; zeros before the first.
class FlattenStep final : public StreamOp {
 public:
  FlattenStep(std::int64_t time_steps, std::int64_t size) : window_({time_steps, 1, size}) {
    input_size = size;
    output_size = time_steps * size;
  }
  void run(const float* input, float* output) noexcept override {
    std::copy(window_.data() + input_size, window_.data() + output_size, window_.data());
    std::copy_n(input, input_size, window_.data() + output_size - input_size);
    std::copy_n(window_.data(), output_size, output);
  }
  void reset() noexcept override { window_.fill(0); }
  void save(std::vector<Tensor>& values) const override { values.push_back(window_); }
  void check(std::span<const Tensor> values, std::size_t& next) const override {
    if (next >= values.size() || !(values[next].shape() == window_.shape())) {
      fail(Code::kUsage, "state tensor {} does not fit: the network needs {}", next, window_.shape().to_string());
    }
    ++next;
  }
  void load(std::span<const Tensor> values, std::size_t& next) noexcept override {
    std::copy_n(values[next++].data(), output_size, window_.data());
  }

 private:
  Tensor window_;
};

class SequentialStep final : public StreamOp {
 public:
  explicit SequentialStep(std::vector<std::unique_ptr<StreamOp>> steps) : steps_(std::move(steps)) {
    input_size = steps_.front()->input_size;
    output_size = steps_.back()->output_size;
    for (const auto& step : steps_) values_.emplace_back(static_cast<std::size_t>(step->output_size));
  }
  void run(const float* input, float* output) noexcept override {
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      float* to = k + 1 == steps_.size() ? output : values_[k].data();
      steps_[k]->run(input, to);
      input = to;
    }
  }
  void reset() noexcept override {
    for (const auto& step : steps_) step->reset();
  }
  void save(std::vector<Tensor>& values) const override {
    for (const auto& step : steps_) step->save(values);
  }
  void check(std::span<const Tensor> values, std::size_t& next) const override {
    for (const auto& step : steps_) step->check(values, next);
  }
  void load(std::span<const Tensor> values, std::size_t& next) noexcept override {
    for (const auto& step : steps_) step->load(values, next);
  }

 private:
  std::vector<std::unique_ptr<StreamOp>> steps_;
  std::vector<Buffer> values_;
};

class SumStep final : public StreamOp {
 public:
  explicit SumStep(std::vector<std::unique_ptr<StreamOp>> branches) : branches_(std::move(branches)) {
    input_size = branches_.front()->input_size;
    output_size = branches_.front()->output_size;
    for (const auto& branch : branches_) {
      if (branch->input_size != input_size || branch->output_size != output_size) {
        fail(Code::kUsage, "sum: the branches differ in size");
      }
    }
    value_.resize(static_cast<std::size_t>(output_size));
  }
  void run(const float* input, float* output) noexcept override {
    branches_.front()->run(input, output);
    for (std::size_t k = 1; k < branches_.size(); ++k) {
      branches_[k]->run(input, value_.data());
      for (std::int64_t j = 0; j < output_size; ++j) output[j] += value_[static_cast<std::size_t>(j)];
    }
  }
  void reset() noexcept override {
    for (const auto& branch : branches_) branch->reset();
  }
  void save(std::vector<Tensor>& values) const override {
    for (const auto& branch : branches_) branch->save(values);
  }
  void check(std::span<const Tensor> values, std::size_t& next) const override {
    for (const auto& branch : branches_) branch->check(values, next);
  }
  void load(std::span<const Tensor> values, std::size_t& next) noexcept override {
    for (const auto& branch : branches_) branch->load(values, next);
  }

 private:
  std::vector<std::unique_ptr<StreamOp>> branches_;
  Buffer value_;
};

// The operation of one layer whose input has `size` features (-1: not known yet); null if a step passes through it.
std::unique_ptr<StreamOp> compile_layer(Module& module, std::int64_t size, WeightFormat format) {
  if (auto* recurrent = dynamic_cast<Recurrent*>(&module)) return compile_recurrent(*recurrent, format);
  if (auto* linear = dynamic_cast<Linear*>(&module)) return std::make_unique<LinearStep>(*linear);
  if (auto* scale = dynamic_cast<Scale*>(&module)) return std::make_unique<ScaleStep>(*scale);
  if (auto* norm = dynamic_cast<LayerNorm*>(&module)) return std::make_unique<LayerNormStep>(*norm);
  const LayerDescription description = module.describe();
  if (description.type == "dropout") return nullptr;
  if (description.type == "pool" && std::get<std::string>(description.settings.at("kind")) == "last") return nullptr;
  if (description.type == "activation" && size > 0) {
    return std::make_unique<ActivationStep>(std::get<std::string>(description.settings.at("kind")), size);
  }
  if (auto* flatten = dynamic_cast<Flatten*>(&module); flatten && size > 0) {
    return std::make_unique<FlattenStep>(flatten->time_steps(), size);
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
    if (auto* sum = dynamic_cast<Sum*>(module.get())) return input_features(sum->branches().front());
  }
  return -1;
}

// As compile_sequential, for a network whose input has `size` features (-1: not known yet).
std::unique_ptr<StreamOp> compile(Sequential& network, std::int64_t size, WeightFormat format) {
  std::vector<std::unique_ptr<StreamOp>> steps;
  for (const auto& [name, module] : network.modules()) {
    std::unique_ptr<StreamOp> step;
    if (auto* sum = dynamic_cast<Sum*>(module.get())) {
      std::vector<std::unique_ptr<StreamOp>> branches;
      for (Sequential& branch : sum->branches()) branches.push_back(compile(branch, size, format));
      step = std::make_unique<SumStep>(std::move(branches));
    } else {
      step = compile_layer(*module, size, format);
    }
    if (!step) continue;
    if (size >= 0 && step->input_size != size) {
      fail(Code::kUsage, "layer '{}' takes {} features, the layer below gives {}", name, step->input_size, size);
    }
    size = step->output_size;
    steps.push_back(std::move(step));
  }
  if (steps.empty()) fail(Code::kUsage, "an empty network cannot be streamed");
  return std::make_unique<SequentialStep>(std::move(steps));
}

}  // namespace

std::unique_ptr<StreamOp> compile_sequential(Sequential& network, WeightFormat format) {
  return compile(network, input_features(network), format);
}

}  // namespace carousel::detail
