// recurrent.cpp: the Recurrent layer: parameters, their initial values, and the call of the stack.
#include <algorithm>
#include <string>

#include "autograd/ops/concatenate_columns.h"
#include "base/fail.h"
#include "cells/cell.h"
#include "layers/initialize.h"
#include "layers/low_precision.h"
#include "layers/module.h"
#include "layers/stack.h"

namespace carousel {
namespace {

constexpr int kParametersPerScan = 5;  // weight_ih, weight_hh, bias_ih, bias_hh, weight_hr; absent ones are null

void check(const RecurrentOptions& o) {
  const Cell& cell = find_cell(o.cell);
  if (o.input_size < 1) fail(Code::kUsage, "{}: input_size is {}, expected at least 1", o.cell, o.input_size);
  if (o.hidden_size < 1) fail(Code::kUsage, "{}: hidden_size is {}, expected at least 1", o.cell, o.hidden_size);
  if (o.layers < 1) fail(Code::kUsage, "{}: layers is {}, expected at least 1", o.cell, o.layers);
  if (o.proj_size < 0 || o.proj_size >= o.hidden_size) {
    fail(Code::kUsage, "{}: proj_size is {}, expected 0 (none) to hidden_size - 1 = {}", o.cell, o.proj_size,
         o.hidden_size - 1);
  }
  if (o.proj_size > 0 && !cell.projection)
    fail(Code::kUsage, "cell '{}' has no projection: leave proj_size out", o.cell);
  for (double p : {o.dropout, o.recurrent_dropout}) {
    if (!(p >= 0 && p < 1)) fail(Code::kUsage, "{}: dropout is {}, expected 0 <= p < 1", o.cell, p);
  }
}

}  // namespace

Recurrent::Recurrent(RecurrentOptions options) : options_(std::move(options)) {
  check(options_);
  const std::int64_t H = options_.hidden_size, width = find_cell(options_.cell).gate_count() * H;
  const std::int64_t P = options_.proj_size > 0 ? options_.proj_size : H;
  for (std::int64_t l = 0; l < options_.layers; ++l) {
    const std::int64_t C = l == 0 ? options_.input_size : output_size();
    for (int d = 0; d < directions(); ++d) {
      const std::string suffix = "_l" + std::to_string(l) + (d == 1 ? "_reverse" : "");
      const auto make = [&](bool present, const char* name, const Shape& shape) {
        parameters_.push_back(present ? std::make_unique<Parameter>(name + suffix, Tensor(shape)) : nullptr);
      };
      make(true, "weight_ih", {width, C});
      make(true, "weight_hh", {width, P});
      make(options_.bias, "bias_ih", {width});
      make(options_.bias, "bias_hh", {width});
      make(options_.proj_size > 0, "weight_hr", {P, H});
    }
  }
}

std::vector<Parameter*> Recurrent::parameters() {
  std::vector<Parameter*> list;
  for (const auto& parameter : parameters_) {
    if (parameter) list.push_back(parameter.get());
  }
  return list;
}

void Recurrent::initialize(std::uint64_t seed) {
  const Cell& cell = find_cell(options_.cell);
  const std::int64_t H = options_.hidden_size;
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    if (!parameters_[k]) continue;
    Tensor& value = parameters_[k]->value;
    const RandomKey key{seed, Purpose::kWeights, k};
    switch (k % kParametersPerScan) {
      case 0:
        initialize_xavier(key, H, value.view());
        break;
      case 1:
        initialize_orthogonal(key, H, value.view());
        break;
      case 4:
        initialize_xavier(key, value.shape()[0], value.view());
        break;
      default: {
        value.fill(0);
        const auto forget = std::find(cell.gates.begin(), cell.gates.end(), "f");
        if (k % kParametersPerScan == 2 && forget != cell.gates.end()) {
          std::fill_n(value.data() + (forget - cell.gates.begin()) * H, H, 1.0f);
        }
      }
    }
  }
}

LayerDescription Recurrent::describe() const {
  return {"recurrent",
          {{"cell", options_.cell},
           {"input_size", options_.input_size},
           {"hidden_size", options_.hidden_size},
           {"proj_size", options_.proj_size},
           {"layers", options_.layers},
           {"bidirectional", options_.bidirectional},
           {"bias", options_.bias},
           {"dropout", options_.dropout},
           {"recurrent_dropout", options_.recurrent_dropout}},
          {}};
}

std::int64_t Recurrent::output_size() const noexcept {
  return directions() * (options_.proj_size > 0 ? options_.proj_size : options_.hidden_size);
}

int Recurrent::state_count() const { return find_cell(options_.cell).state_count(); }

Shape Recurrent::state_shape(int state, std::int64_t samples) const {
  return {options_.layers * directions(), samples, state == 0 ? output_size() / directions() : options_.hidden_size};
}

namespace {

// The slice [samples, width] of an initial state, checked.
Variable initial_state(detail::Flow& flow, std::size_t state, std::int64_t entry, const Shape& shape) {
  if (state >= flow.initial->values.size()) {
    fail(Code::kUsage, "the initial state has {} tensors, the network needs more", flow.initial->values.size());
  }
  const Tensor& value = flow.initial->values[state];
  if (!(value.shape() == shape)) {
    fail(Code::kUsage, "initial state {} has shape {}, expected {}", state, value.shape().to_string(),
         shape.to_string());
  }
  return flow.tape->constant({value.data() + entry * shape[1] * shape[2], {shape[1], shape[2]}});
}

}  // namespace

void Recurrent::forward(detail::Flow& flow) {
  if (!flow.is_sequence) fail(Code::kUsage, "recurrent: the layer below gives one row per sample, expected a sequence");
  if (!flow.x) fail(Code::kUsage, "recurrent: got token ids; put an Embedding before it");
  const Cell& cell = find_cell(options_.cell);
  const int D = directions(), states = cell.state_count();
  const std::int64_t scans = options_.layers * D, samples = flow.layout->samples();
  Arena& arena = flow.tape->arena();

  auto* weights = arena.allocate<ScanWeights<float>>(scans);
  for (std::int64_t k = 0; k < scans; ++k) {
    ScanWeights<float>* w = new (weights + k) ScanWeights<float>;
    BasicVariable<float>* const slots[kParametersPerScan] = {&w->weight_ih, &w->weight_hh, &w->bias_ih, &w->bias_hh,
                                                             &w->weight_hr};
    for (int j = 0; j < kParametersPerScan; ++j) {
      Parameter* parameter = parameters_[static_cast<std::size_t>(k * kParametersPerScan + j)].get();
      if (parameter) *slots[j] = flow.tape->parameter(*parameter);
    }
    for (int s = 0; s < states && flow.initial; ++s) {
      w->initial[s] = initial_state(flow, flow.states_used + static_cast<std::size_t>(s), k, state_shape(s, samples));
    }
  }

  if (!flow.training && low_precision_) {
    const StackOutput<float> out =
        low_precision_->run(flow.rows("recurrent"), *flow.layout, {weights, static_cast<std::size_t>(scans)});
    flow.x = out.output;
    finish(flow, out.final, states);
    return;
  }
  StackInput<float> input;
  input.cell = &cell;
  input.layers = static_cast<int>(options_.layers);
  input.directions = D;
  input.layout = flow.layout;
  input.x = flow.x;
  input.row_index = flow.row_index;
  input.bptt = flow.bptt;
  input.checkpoint_steps = flow.checkpoint_steps;
  input.weights = {weights, static_cast<std::size_t>(scans)};
  if (flow.training) {
    input.dropout = options_.dropout;
    input.recurrent_dropout = options_.recurrent_dropout;
    input.key = flow.next_dropout_key();
  }
  const StackOutput<float> out = run_stack(input);
  flow.x = out.output;
  flow.row_index = {};
  finish(flow, out.final, states);
}

void Recurrent::set_inference_dtype(const std::string& dtype) {
  const WeightFormat format = parse_weight_format(dtype);
  low_precision_ = format == WeightFormat::kF32
                       ? nullptr
                       : std::make_shared<detail::LowPrecisionStack>(options_, std::span(parameters_), format);
}

void set_inference_dtype(Sequential& network, const std::string& dtype) {
  for (const auto& [name, module] : network.modules()) {
    if (auto* recurrent = dynamic_cast<Recurrent*>(module.get())) recurrent->set_inference_dtype(dtype);
    if (auto* sum = dynamic_cast<Sum*>(module.get())) {
      for (Sequential& branch : sum->branches()) set_inference_dtype(branch, dtype);
    }
  }
}

void Recurrent::finish(detail::Flow& flow, std::span<const Variable> final, int states) const {
  const std::size_t top = final.size() - static_cast<std::size_t>(directions() * states);
  flow.last = final[top];
  if (directions() == 2) flow.last = concatenate_columns({flow.last, final[top + static_cast<std::size_t>(states)]});
  if (flow.final) {
    for (int s = 0; s < states; ++s) {
      Tensor value(state_shape(s, flow.layout->samples()));
      float* to = value.data();
      for (std::size_t k = static_cast<std::size_t>(s); k < final.size(); k += static_cast<std::size_t>(states)) {
        to = std::copy_n(final[k].value().data, final[k].value().elements(), to);
      }
      flow.final->values.push_back(std::move(value));
    }
  }
  flow.states_used += static_cast<std::size_t>(states);
}

}  // namespace carousel
