// recurrent.cpp: the Recurrent layer: parameters, their initial values, and the call of the stack.
#include <algorithm>
#include <numeric>
#include <string>

#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "cells/cell.h"
#include "layers/initialize.h"
#include "layers/module.h"
#include "layers/recurrent/low_precision.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/recurrent/stack.h"
#include "layers/recurrent/topology.h"

namespace carousel {
namespace {

// Of each scan, in this order; absent ones are null.
constexpr const char* kNames[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr", "bias_hr", "weight_ph"};
constexpr int kParametersPerScan = 7;
enum ParameterOfScan { kWeightIh, kWeightHh, kBiasIh, kBiasHh, kWeightHr, kBiasHr, kWeightPh };

void check_chrono(const Cell& cell, const RecurrentOptions& o) {
  if (o.chrono == 0) return;
  if (o.chrono < 3)
    fail(Code::kUsage, "{}: chrono is {}, expected 0 (none) or at least 3 time steps", o.cell, o.chrono);
  if (cell.keep_gates == 0 && cell.write_gates == 0)
    fail(Code::kUsage, "cell '{}' has no sigmoid gate that forgets: leave chrono out", o.cell);
  if (!o.bias) fail(Code::kUsage, "{}: chrono sets biases: have some, or leave it out", o.cell);
}

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
  if (o.recurrent_dropout > 0 && cell.first_gates() == 0)
    fail(Code::kUsage, "cell '{}' has no recurrent product: leave recurrent_dropout out", o.cell);
  if (!cell.output_layer && (o.decay != 0 || o.output_activation != "none"))
    fail(Code::kUsage, "cell '{}' has no output layer: leave decay and output_activation out", o.cell);
  if (!(o.decay >= 0 && o.decay < 1)) fail(Code::kUsage, "{}: decay is {}, expected 0 <= decay < 1", o.cell, o.decay);
  parse_output_activation(o.output_activation);
  for (double p : {o.dropout, o.recurrent_dropout}) {
    if (!(p >= 0 && p < 1)) fail(Code::kUsage, "{}: dropout is {}, expected 0 <= p < 1", o.cell, p);
  }
  if constexpr (kTraining) check_chrono(cell, o);  // what is loaded for inference draws no biases
  check_zoneout(cell, mean_zoneout(o));
  check_transitions(cell, o.transitions);
  check_topology(o);
}

constexpr float kHighwayBias = -2;  // of a fresh gate, which mostly lets x pass (Srivastava et al. 2015)

using Parameters = std::vector<std::unique_ptr<Parameter>>;

// Weight and bias of the gate past a layer; nulls if no highway leads past it.
void add_highway(Parameters& highway, const RecurrentOptions& o, std::int64_t layer) {
  if (o.connection != "highway") return;
  const std::int64_t W = layer_output_size(o);
  const std::string suffix = scan_suffix(layer, 0);
  const bool present = is_connected(o, layer);
  highway.push_back(present ? std::make_unique<Parameter>("weight_highway" + suffix, Tensor({W, W})) : nullptr);
  highway.push_back(present ? std::make_unique<Parameter>("bias_highway" + suffix, Tensor({W})) : nullptr);
}

// One gate for each layer, in the tape's arena.
std::span<const HighwayGate<float>> highway_gates(const Parameters& highway, const RecurrentOptions& o,
                                                  Tape<float>& tape) {
  if (highway.empty()) return {};
  auto* gates = tape.arena().allocate<HighwayGate<float>>(o.layers);
  for (std::int64_t l = 0; l < o.layers; ++l) {
    const auto k = static_cast<std::size_t>(o.tied ? 0 : 2 * l);
    new (gates + l) HighwayGate<float>;
    if (highway[k]) gates[l] = {tape.parameter(*highway[k]), tape.parameter(*highway[k + 1])};
  }
  return {gates, static_cast<std::size_t>(o.layers)};
}

}  // namespace

Recurrent::Recurrent(RecurrentOptions options) : options_(std::move(options)) {
  check(options_);
  const Cell& cell = find_cell(options_.cell);
  if (cell.blocks == RecurrentBlocks::kSlowerModules && options_.periods.empty()) options_.periods = "1,2,4,8";
  recurrent_mask_ = make_recurrent_mask(options_);
  const std::int64_t H = options_.hidden_size;
  if (cell.entry) {
    entry_.push_back(std::make_unique<Parameter>("weight_in", Tensor({2 * H, options_.input_size})));
    if (options_.bias) entry_.push_back(std::make_unique<Parameter>("bias_in", Tensor({2 * H})));
  }
  for (std::int64_t l = 0; l < options_.layers; ++l) {
    if (l == 0 || !options_.tied) {
      for (int d = 0; d < directions(); ++d) add_scan(l, d);
      add_highway(highway_, options_, l);
    }
    for (int d = 0; d < directions() && options_.learned_initial_state; ++d) {
      for (int s = 0; s < state_count(); ++s) {
        const Shape row{state_shape(s, 1)[2]};
        initial_.push_back(learns_state(cell, s)
                               ? std::make_unique<Parameter>(initial_state_name(options_, l, d, s), Tensor(row))
                               : nullptr);
      }
    }
  }
}

void Recurrent::add_scan(std::int64_t layer, int direction) {
  const Cell& cell = cell_of_layer(find_cell(options_.cell), layer);
  const std::int64_t H = options_.hidden_size, recurrent = cell.recurrent_gates() * H;
  const std::int64_t width = cell.first_row(cell.gate_count(), H, options_.heads);
  const std::int64_t P = options_.proj_size > 0 ? options_.proj_size : H;
  const std::int64_t C = layer_input_size(options_, layer);
  for (std::int64_t t = 0; t < options_.transitions; ++t) {
    const std::string suffix = scan_suffix(layer, direction, t);
    const auto make = [&](bool present, ParameterOfScan which, const Shape& shape) {
      parameters_.push_back(present ? std::make_unique<Parameter>(kNames[which] + suffix, Tensor(shape)) : nullptr);
    };
    make(t == 0, kWeightIh, {width, C});
    make(recurrent > 0, kWeightHh, {recurrent, cell.recurrent_size(cell_sizes(options_))});
    make(t == 0 && options_.bias, kBiasIh, {width});
    make(options_.bias && recurrent > 0, kBiasHh, {recurrent});
    make(options_.proj_size > 0 || cell.output_layer, kWeightHr, {P, H});
    make(options_.bias && cell.output_layer, kBiasHr, {P});
    make(cell.unit_weight_count() > 0, kWeightPh, {cell.unit_weight_count() * H});
  }
  if (cell.fixed_unit_weights) set_fixed_unit_weights(options_, parameters_.back()->value);
}

// Fixed unit weights follow from the options: they are neither trained nor kept.
std::vector<Parameter*> Recurrent::parameters() {
  const bool fixed = find_cell(options_.cell).fixed_unit_weights;
  std::vector<Parameter*> list;
  for (const auto& parameter : entry_) list.push_back(parameter.get());
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    if (parameters_[k] && !(fixed && k % kParametersPerScan == kWeightPh)) list.push_back(parameters_[k].get());
  }
  for (const auto* more : {&highway_, &initial_}) {
    for (const auto& parameter : *more) {
      if (parameter) list.push_back(parameter.get());
    }
  }
  return list;
}

const Parameter* Recurrent::parameter(const std::string& name) const {
  for (const auto* list : {&entry_, &parameters_, &highway_, &initial_}) {
    for (const auto& parameter : *list) {
      if (parameter && parameter->name == name) return parameter.get();
    }
  }
  return nullptr;
}

void Recurrent::initialize(std::uint64_t seed) {
  const std::int64_t H = options_.hidden_size;
  for (std::size_t k = 0; k < entry_.size(); ++k) {
    const RandomKey key{seed, Purpose::kWeights, parameters_.size() + k};
    if (k == 0) initialize_xavier(key, H, entry_[k]->value.view());
    if (k == 1) entry_[k]->value.fill(0);
  }
  for (std::size_t k = 0; k < highway_.size(); ++k) {
    if (!highway_[k]) continue;
    Tensor& value = highway_[k]->value;
    const RandomKey key{seed, Purpose::kWeights, parameters_.size() + entry_.size() + k};
    if (k % 2 == 0) initialize_xavier(key, value.shape()[0], value.view());
    if (k % 2 == 1) value.fill(kHighwayBias);
  }
  for (const auto& row : initial_) {
    if (row) row->value.fill(0);
  }
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    const auto scan = static_cast<std::int64_t>(k) / kParametersPerScan;
    const Cell& cell = cell_of_layer(find_cell(options_.cell), scan / (directions() * options_.transitions));
    const ParameterOfScan gate_bias = scan % options_.transitions == 0 ? kBiasIh : kBiasHh;
    if (!parameters_[k] || (cell.fixed_unit_weights && k % kParametersPerScan == kWeightPh)) continue;
    Tensor& value = parameters_[k]->value;
    const RandomKey key{seed, Purpose::kWeights, k};
    switch (k % kParametersPerScan) {
      case kWeightIh:
        initialize_xavier(key, H, value.view());
        break;
      case kWeightHh:
        initialize_orthogonal(key, H, value.view());
        for (std::int64_t j = 0; j < recurrent_mask_.elements(); ++j) value[j] *= recurrent_mask_[j];
        break;
      case kWeightHr:
        initialize_xavier(key, value.shape()[0], value.view());
        break;
      case kWeightPh:
        initialize_unit_weights(cell, key, value);
        break;
      default:
        value.fill(0);
        if (k % kParametersPerScan == gate_bias) initialize_gate_biases(options_, cell, key, value);
    }
  }
}

LayerDescription Recurrent::describe() const {
  LayerDescription d{"recurrent",
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
  if (options_.output_activation != "none") d.settings["output_activation"] = options_.output_activation;
  if (options_.decay != 0) d.settings["decay"] = options_.decay;
  if (!options_.periods.empty()) d.settings["periods"] = options_.periods;
  if (options_.heads != 1) d.settings["heads"] = options_.heads;
  if (options_.transitions != 1) d.settings["transitions"] = options_.transitions;
  if (options_.zoneout != 0) d.settings["zoneout"] = options_.zoneout;
  if (options_.zoneout_memory != 0) d.settings["zoneout_memory"] = options_.zoneout_memory;
  if (options_.merge != "concat") d.settings["merge"] = options_.merge;
  if (options_.connection != "none") d.settings["connection"] = options_.connection;
  if (options_.learned_initial_state) d.settings["learned_initial_state"] = true;
  if (options_.tied) d.settings["tied"] = true;
  if (options_.chrono != 0) d.settings["chrono"] = options_.chrono;
  return d;
}

std::int64_t Recurrent::output_size() const noexcept { return layer_output_size(options_); }

int Recurrent::state_count() const { return find_cell(options_.cell).state_count(); }

Shape Recurrent::state_shape(int state, std::int64_t samples) const {
  return {options_.layers * directions(), samples, find_cell(options_.cell).state_width(state, cell_sizes(options_))};
}

void Recurrent::forward(detail::Flow& flow) {
  if (!flow.is_sequence) fail(Code::kUsage, "recurrent: the layer below gives one row per sample, expected a sequence");
  if (!flow.x) fail(Code::kUsage, "recurrent: got token ids; put an Embedding before it");
  const Cell& cell = find_cell(options_.cell);
  const int D = directions(), states = cell.state_count();
  const std::int64_t K = options_.transitions, scans = options_.layers * D * K, samples = flow.layout->samples();
  Arena& arena = flow.tape->arena();

  auto* weights = arena.allocate<ScanWeights<float>>(scans);
  for (std::int64_t k = 0; k < scans; ++k) {
    ScanWeights<float>* w = new (weights + k) ScanWeights<float>;
    BasicVariable<float>* const slots[kParametersPerScan] = {&w->weight_ih, &w->weight_hh, &w->bias_ih,  &w->bias_hh,
                                                             &w->weight_hr, &w->bias_hr,   &w->weight_ph};
    for (int j = 0; j < kParametersPerScan; ++j) {
      const std::int64_t scan = options_.tied ? k % (D * K) : k;
      Parameter* parameter = parameters_[static_cast<std::size_t>(scan * kParametersPerScan + j)].get();
      if (!parameter) continue;
      const bool fixed = j == kWeightPh && cell.fixed_unit_weights;
      *slots[j] = fixed ? flow.tape->constant(parameter->value.view()) : flow.tape->parameter(*parameter);
    }
    if (recurrent_mask_.elements() > 0) {
      w->weight_hh = multiply(w->weight_hh, flow.tape->constant(recurrent_mask_.view()));
    }
    for (int s = 0; s < states && flow.has_initial() && k % K == 0; ++s) {
      w->initial[s] =
          flow.initial_state(flow.states_used + static_cast<std::size_t>(s), k / K, state_shape(s, samples));
    }
    for (int s = 0; s < states && !flow.has_initial() && !initial_.empty() && k % K == 0; ++s) {
      Parameter* row = initial_[static_cast<std::size_t>(k / K * states + s)].get();
      if (row) w->initial[s] = repeat_row(flow.tape->parameter(*row), samples);
    }
  }

  Variable lower;
  if (cell.entry) enter(flow, lower);
  if (is_connected(options_, 0)) flow.x = flow.rows("recurrent");  // which go past the lowest layer
  if (!flow.training && low_precision_) {
    const StackOutput<float> out =
        low_precision_->run(flow.rows("recurrent"), lower, *flow.layout, {weights, static_cast<std::size_t>(scans)});
    flow.x = out.output;
    finish(flow, out.final, states);
    return;
  }
  StackInput<float> input;
  input.lower = lower;
  input.output = output_layer(options_);
  input.cell = &cell;
  input.layers = static_cast<int>(options_.layers);
  input.directions = D;
  input.heads = options_.heads;
  input.transitions = K;
  input.layout = flow.layout;
  input.x = flow.x;
  input.row_index = flow.row_index;
  input.bptt = flow.bptt;
  input.checkpoint_steps = flow.checkpoint_steps;
  input.weights = {weights, static_cast<std::size_t>(scans)};
  input.zoneout = mean_zoneout(options_);
  input.merge = parse_merge(options_.merge);
  input.connection = parse_connection(options_.connection);
  input.highway = highway_gates(highway_, options_, *flow.tape);
  if (flow.training) {
    input.zoneout.draws = true;
    input.dropout = options_.dropout;
    input.recurrent_dropout = options_.recurrent_dropout;
    input.key = flow.next_dropout_key();
  }
  const StackOutput<float> out = run_stack(input);
  flow.x = out.output;
  flow.row_index = {};
  finish(flow, out.final, states);
}

// x and l for the lowest layer: the two halves of W_in x + b_in.
void Recurrent::enter(detail::Flow& flow, Variable& lower) {
  const std::int64_t H = options_.hidden_size;
  const Variable x = flow.rows("recurrent"), weight = flow.tape->parameter(*entry_[0]);
  const Variable bias = entry_.size() > 1 ? flow.tape->parameter(*entry_[1]) : Variable();
  const auto half = [&](std::int64_t first) {
    const std::span<std::int64_t> rows{flow.tape->arena().allocate<std::int64_t>(H), static_cast<std::size_t>(H)};
    std::iota(rows.begin(), rows.end(), first);
    const Variable b = bias ? reshape(select_rows(reshape(bias, {2 * H, 1}), rows), {H}) : bias;
    return linear(x, select_rows(weight, rows), b);
  };
  flow.x = half(0);
  flow.row_index = {};
  lower = half(H);
  if (directions() == 2) lower = concatenate_columns({lower, lower});
}

void Recurrent::set_inference_dtype(const std::string& dtype) {
  const WeightFormat format = parse_weight_format(dtype);
  low_precision_ = format == WeightFormat::kF32 ? nullptr : std::make_shared<detail::LowPrecisionStack>(*this, format);
}

void set_inference_dtype(Sequential& network, const std::string& dtype) {
  for (const auto& [name, module] : network.modules()) {
    if (auto* recurrent = dynamic_cast<Recurrent*>(module.get())) recurrent->set_inference_dtype(dtype);
    for (const auto& [own, inner] : detail::inner_networks(*module)) set_inference_dtype(*inner, dtype);
  }
}

void Recurrent::finish(detail::Flow& flow, std::span<const Variable> final, int states) const {
  const std::size_t top = final.size() - static_cast<std::size_t>(directions() * states);
  const Variable last[] = {final[top], final[final.size() - static_cast<std::size_t>(states)]};
  flow.last = last_outputs(options_, *flow.layout, flow.x, {last, static_cast<std::size_t>(directions())});
  if (flow.final_variables) flow.final_variables->assign(final.begin(), final.end());
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
