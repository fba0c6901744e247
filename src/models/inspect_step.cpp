// inspect_step.cpp: one step of the first recurrent layer, computed once more in double from the weights.
#include <algorithm>
#include <cmath>
#include <typeinfo>

#include "base/fail.h"
#include "carousel/attention.h"
#include "carousel/convolution.h"
#include "cells/cell.h"
#include "layers/attention/sequence_to_sequence.h"
#include "layers/module.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/tokens/sentence_encoder.h"
#include "models/inspect.h"
#include "models/layer_chain.h"

namespace carousel {
namespace {

// The layers up to the first recurrent one, that one left out; null if there is none.
Recurrent* find_recurrent(Sequential& network, const std::string& prefix, LayerChain& before, std::string& name) {
  for (const auto& [own, module] : network.modules()) {
    if (auto* recurrent = dynamic_cast<Recurrent*>(module.get())) {
      name = prefix + own;
      return recurrent;
    }
    if (std::vector<Sequential>* branches = detail::branches_of(*module)) {
      for (std::size_t k = 0; k < branches->size(); ++k) {
        const std::size_t kept = before.layers.size();
        const std::string inner = prefix + own + "." + std::to_string(k) + ".";
        if (Recurrent* found = find_recurrent((*branches)[k], inner, before, name)) return found;
        before.layers.resize(kept);
      }
    }
    if (auto* both = dynamic_cast<SequenceToSequence*>(module.get())) {
      return find_recurrent(both->encoder(), prefix + own + ".encoder.", before, name);
    }
    if (auto* inner = dynamic_cast<Sequential*>(module.get()); inner && typeid(*inner) == typeid(Sequential)) {
      if (Recurrent* found = find_recurrent(*inner, prefix + own + ".", before, name)) return found;
      continue;
    }
    before.layers.push_back(module.get());
  }
  return nullptr;
}

// With such a layer below, a sample that is cut off behind a step has another input there.
bool looks_across_steps(const Module* module) {
  return dynamic_cast<const Conv1d*>(module) || dynamic_cast<const MultiHeadAttention*>(module) ||
         dynamic_cast<const AttentionDecoder*>(module) || dynamic_cast<const SentenceEncoder*>(module);
}

// The output of the chain for one sample cut off after `steps` steps; the others are left out. [T, N, width].
Tensor run_chain(LayerChain& chain, const InspectInput& input, std::int64_t sample, std::int64_t steps, State* final) {
  const Shape& shape = input.values ? input.values->shape() : input.ids->shape();
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(shape[1]));
  lengths[static_cast<std::size_t>(sample)] = static_cast<std::int32_t>(steps);
  Tape<float> tape;
  tape.set_recording(false);
  SequenceLayout layout;
  detail::PassInput pass{input.values, input.ids, lengths, nullptr, final};
  pass.unseen = input.unseen;
  return Tensor(detail::run_pass(chain, tape, layout, pass, false, {}).value());
}

// Of every state the row of layer 0, forward direction, this sample.
using StateRows = std::vector<std::vector<double>>;

StateRows state_rows(const State& state, const Recurrent& layer, std::int64_t sample) {
  StateRows rows;
  const auto count = static_cast<std::size_t>(layer.state_count());
  for (std::size_t k = state.values.size() - count; k < state.values.size(); ++k) {
    const Tensor& value = state.values[k];
    const float* row = value.data() + sample * value.shape()[2];  // entry 0: layer 0, forward
    rows.emplace_back(row, row + value.shape()[2]);
  }
  return rows;
}

const Tensor* find_parameter(const Recurrent& layer, const std::string& name) {
  const Parameter* parameter = layer.parameter(name);
  return parameter ? &parameter->value : nullptr;
}

// Rows begin .. end - 1 of W x + b; a null b is left out.
std::vector<double> product(const Tensor& weight, const std::vector<double>& x, const Tensor* bias, std::int64_t begin,
                            std::int64_t end) {
  std::vector<double> y;
  const float* row = weight.data() + begin * static_cast<std::int64_t>(x.size());
  for (std::int64_t r = begin; r < end; ++r, row += x.size()) {
    double sum = bias ? (*bias)[r] : 0;
    for (std::size_t c = 0; c < x.size(); ++c) sum += double{row[c]} * x[c];
    y.push_back(sum);
  }
  return y;
}

std::vector<double> product(const Tensor& weight, const std::vector<double>& x, const Tensor* bias) {
  return product(weight, x, bias, 0, weight.shape()[0]);
}

std::vector<double> doubles(const Tensor* tensor) {
  return tensor ? std::vector<double>(tensor->span().begin(), tensor->span().end()) : std::vector<double>();
}

// The recurrent weights of the first layer.
struct RecurrentWeights {
  Tensor weight;  // with what does not count set to zero; empty if there are none
  const Tensor* bias;
  std::vector<double> unit_weights;
  std::vector<double> bias_ih, bias_hh;  // of a normalised cell, whose step adds them; empty: none

  RecurrentWeights(const Recurrent& layer, const Cell& cell)
      : weight(masked_recurrent_weight(layer, 0, 0)),
        bias(cell.normalised ? nullptr : find_parameter(layer, "bias_hh_l0")),
        unit_weights(doubles(find_parameter(layer, "weight_ph_l0"))) {
    if (!cell.normalised) return;
    bias_ih = doubles(find_parameter(layer, "bias_ih_l0"));
    bias_hh = doubles(find_parameter(layer, "bias_hh_l0"));
  }
};

// Of all gates, one after another. In: a = W x, with b_ih unless the cell is normalised. Out: a the gates, from_x and
// from_h what they are made of.
struct GateSums {
  std::vector<double> a, from_x, from_h;
};

// Of a normalised cell: what its step made of W x and R h.
void normalise_sums(const Cell& cell, const RecurrentWeights& recurrent, const std::vector<double>& normal,
                    GateSums& sums) {
  const std::size_t width = sums.a.size();
  for (std::size_t j = 0; cell.normalised && j < width; ++j) {
    sums.from_x[j] = recurrent.unit_weights[j] * normal[j];
    sums.from_h[j] = recurrent.unit_weights[width + j] * normal[width + j];
    if (!recurrent.bias_ih.empty()) sums.from_x[j] += recurrent.bias_ih[j];
    if (!recurrent.bias_hh.empty()) sums.from_h[j] += recurrent.bias_hh[j];
  }
}

// The cell's own reference on all units. Returns the next states.
StateRows step_all_units(const Cell& cell, const StateRows& before, const RecurrentWeights& recurrent,
                         const std::vector<double>& lower, GateSums& sums) {
  std::vector<double>&a = sums.a, &q = sums.from_h;
  sums.from_x = a;
  const std::size_t H = a.size() / cell.gates.size();
  const auto first = static_cast<std::int64_t>(H) * cell.first_gates();
  std::vector<double> entering, inner(H);
  for (const int state : cell.recurrent_states) {
    const std::vector<double>& values = before[static_cast<std::size_t>(state)];
    entering.insert(entering.end(), values.begin(), values.end());
  }
  if (first > 0) q = product(recurrent.weight, entering, recurrent.bias, 0, first);
  q.resize(a.size());
  const auto add_products = [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end && !cell.split_gates; ++r) a[r] += q[r];
  };
  StepForward<double> s;
  s.rows = 1;
  s.hidden_size = static_cast<std::int64_t>(H);
  s.a = a.data();
  s.q = cell.split_gates ? q.data() : nullptr;
  s.unit_weights = recurrent.unit_weights.data();
  s.inner = inner.data();
  std::vector<double> normal(static_cast<std::size_t>(cell.normal_count()) * H + kNormalisedRows);
  s.normal = normal.data();
  s.scale = s.normal + cell.normal_count() * s.hidden_size;
  s.bias_a = recurrent.bias_ih.empty() ? nullptr : recurrent.bias_ih.data();
  s.bias_q = recurrent.bias_hh.empty() ? nullptr : recurrent.bias_hh.data();
  s.lower = lower.data();
  s.save = true;
  s.program = cell.program;
  StateRows extras(static_cast<std::size_t>(cell.extras), std::vector<double>(H));
  for (std::size_t k = 0; k < extras.size(); ++k) s.extra[k] = extras[k].data();
  StateRows next(before.size(), std::vector<double>(H));
  for (std::size_t k = 0; k < next.size(); ++k) {
    if (before[k].size() == H) s.previous[k] = before[k].data();  // a projected h enters by R h alone
    s.next[k] = next[k].data();
  }
  add_products(0, static_cast<std::size_t>(first));
  if (cell.inner_gates > 0) {
    cell.steps<double>().step_inner(s);
    const std::int64_t end = cell.recurrent_gates() * s.hidden_size;
    const Tensor rest({end - first, s.hidden_size},
                      recurrent.weight.span().subspan(static_cast<std::size_t>(first) * H));
    const std::vector<double> part = product(rest, inner, nullptr);
    for (std::int64_t r = first; r < end; ++r) {
      q[static_cast<std::size_t>(r)] =
          part[static_cast<std::size_t>(r - first)] + (recurrent.bias ? (*recurrent.bias)[r] : 0);
    }
    add_products(static_cast<std::size_t>(first), a.size());
  }
  cell.steps<double>().step(s);
  normalise_sums(cell, recurrent, normal, sums);
  return next;
}

std::int64_t first_long_enough(const InspectInput& input) {
  const Shape& shape = input.values ? input.values->shape() : input.ids->shape();
  for (std::int64_t n = 0; n < shape[1]; ++n) {
    const std::int64_t length = input.lengths.empty() ? shape[0] : input.lengths[static_cast<std::size_t>(n)];
    if (length > input.time_step) return n;
  }
  return -1;
}

void compute(Recurrent& layer, const StateRows& before, const StateRows& network, WorkedStep& step) {
  const Cell& cell = cell_of_layer(find_cell(layer.options().cell), 0);
  const auto H = static_cast<std::size_t>(layer.options().hidden_size), unit = static_cast<std::size_t>(step.unit);
  std::vector<double> x = step.x, lower;
  if (const Tensor* entry = find_parameter(layer, "weight_in")) {
    x = product(*entry, x, find_parameter(layer, "bias_in"));
    lower.assign(x.begin() + static_cast<std::ptrdiff_t>(H), x.end());
    x.resize(H);
  }
  const Tensor* bias = cell.normalised ? nullptr : find_parameter(layer, "bias_ih_l0");
  GateSums sums{.a = product(*find_parameter(layer, "weight_ih_l0"), x, bias), .from_x = {}, .from_h = {}};
  StateRows after = step_all_units(cell, before, RecurrentWeights(layer, cell), lower, sums);
  for (std::size_t k = 0; k < cell.gates.size(); ++k) {
    const std::size_t row = k * H + unit;
    step.gates.push_back({std::string(cell.gates[k]), sums.from_x[row], sums.from_h[row], sums.a[row]});
  }
  if (const Tensor* projection = find_parameter(layer, "weight_hr_l0")) {
    step.unprojected = after[0][unit];
    after[0] = product(*projection, after[0], find_parameter(layer, "bias_hr_l0"));
    if (cell.output_layer) {
      after[1] = before[1];
      const auto size = static_cast<std::int64_t>(after[1].size());
      finish_output<double>(output_layer(layer.options()), {1, size, nullptr, after[0].data(), after[1].data()});
    }
  }
  for (std::size_t k = 0; k < after.size(); ++k) {
    const double keep = mean_zoneout(layer.options()).of(static_cast<int>(k));
    for (std::size_t j = 0; j < after[k].size(); ++j) after[k][j] = keep * before[k][j] + (1 - keep) * after[k][j];
    step.states.emplace_back(cell.states[k]);
    step.before.push_back(before[k][unit]);
    step.after.push_back(after[k][unit]);
    step.network.push_back(network[k][unit]);
    for (std::size_t j = 0; j < after[k].size(); ++j) {
      step.largest_difference = std::max(step.largest_difference, std::abs(after[k][j] - network[k][j]));
    }
  }
}

}  // namespace

std::optional<WorkedStep> work_through_step(Sequential& network, const InspectInput& input) {
  if (input.time_step < 0) fail(Code::kUsage, "time step {} to work through: expected at least 0", input.time_step);
  WorkedStep step;
  LayerChain chain;
  Recurrent* layer = find_recurrent(network, "", chain, step.layer);
  step.sample = first_long_enough(input);
  if (!layer || step.sample < 0 || std::ranges::any_of(chain.layers, looks_across_steps)) return std::nullopt;
  step.time_step = input.time_step;
  const Cell& cell = cell_of_layer(find_cell(layer->options().cell), 0);
  if (cell.has_matrix() || layer->options().transitions > 1) return std::nullopt;  // the notes of the layer say so
  step.cell = cell.name;
  step.equations = cell.equations;
  step.adds_parts = !cell.split_gates;
  step.normalised = cell.normalised;

  const Tensor x = run_chain(chain, input, step.sample, step.time_step + 1, nullptr);
  const std::int64_t C = x.shape()[2];
  const float* row = x.data() + (step.time_step * x.shape()[1] + step.sample) * C;
  step.x.assign(row, row + C);
  chain.layers.push_back(layer);
  State state;
  run_chain(chain, input, step.sample, step.time_step, &state);
  const StateRows before = state_rows(state, *layer, step.sample);
  run_chain(chain, input, step.sample, step.time_step + 1, &state);
  const StateRows after = state_rows(state, *layer, step.sample);
  step.h_before = before[0];
  compute(*layer, before, after, step);
  return step;
}

}  // namespace carousel
