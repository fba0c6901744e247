// inspect_step.cpp: one step of the first recurrent layer, computed once more in double from the weights.
#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "cells/cell.h"
#include "layers/module.h"
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
    if (auto* sum = dynamic_cast<Sum*>(module.get())) {
      for (std::size_t k = 0; k < sum->branches().size(); ++k) {
        const std::size_t kept = before.layers.size();
        const std::string inner = prefix + own + "." + std::to_string(k) + ".";
        if (Recurrent* found = find_recurrent(sum->branches()[k], inner, before, name)) return found;
        before.layers.resize(kept);
      }
    }
    before.layers.push_back(module.get());
  }
  return nullptr;
}

// The output of the chain for one sample cut off after `steps` steps; the others are left out. [T, N, width].
Tensor run_chain(LayerChain& chain, const InspectInput& input, std::int64_t sample, std::int64_t steps, State* final) {
  const Shape& shape = input.values ? input.values->shape() : input.ids->shape();
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(shape[1]));
  lengths[static_cast<std::size_t>(sample)] = static_cast<std::int32_t>(steps);
  Tape<float> tape;
  tape.set_recording(false);
  SequenceLayout layout;
  return Tensor(
      detail::run_pass(chain, tape, layout, {input.values, input.ids, lengths, nullptr, final}, false, {}).value());
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

const Tensor* find_parameter(Recurrent& layer, std::string_view name) {
  for (const Parameter* parameter : layer.parameters()) {
    if (parameter->name == name) return &parameter->value;
  }
  return nullptr;
}

// W x + b; a null b is left out.
std::vector<double> product(const Tensor& weight, const std::vector<double>& x, const Tensor* bias) {
  std::vector<double> y(static_cast<std::size_t>(weight.shape()[0]));
  for (std::size_t r = 0; r < y.size(); ++r) {
    if (bias) y[r] = (*bias)[static_cast<std::int64_t>(r)];
    const float* row = weight.data() + static_cast<std::int64_t>(r * x.size());
    for (std::size_t c = 0; c < x.size(); ++c) y[r] += double{row[c]} * x[c];
  }
  return y;
}

// The cell's own reference on all units: `a` and `q` become the gates, the result is the next states.
StateRows step_all_units(const Cell& cell, const StateRows& before, std::vector<double>& a, std::vector<double>& q,
                         std::int64_t hidden_size) {
  StepForward<double> s;
  s.rows = 1;
  s.hidden_size = hidden_size;
  if (!cell.split_gates) {
    for (std::size_t r = 0; r < a.size(); ++r) a[r] += q[r];
  }
  s.a = a.data();
  s.q = cell.split_gates ? q.data() : nullptr;
  s.save = true;
  const auto H = static_cast<std::size_t>(hidden_size);
  StateRows extras(static_cast<std::size_t>(cell.extras), std::vector<double>(H));
  for (std::size_t k = 0; k < extras.size(); ++k) s.extra[k] = extras[k].data();
  StateRows next(before.size(), std::vector<double>(H));
  for (std::size_t k = 0; k < next.size(); ++k) {
    if (before[k].size() == H) s.previous[k] = before[k].data();  // a projected h enters by R h alone
    s.next[k] = next[k].data();
  }
  cell.step(s);
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
  const Cell& cell = find_cell(layer.options().cell);
  const auto H = static_cast<std::size_t>(layer.options().hidden_size), unit = static_cast<std::size_t>(step.unit);
  std::vector<double> a = product(*find_parameter(layer, "weight_ih_l0"), step.x, find_parameter(layer, "bias_ih_l0"));
  std::vector<double> q =
      product(*find_parameter(layer, "weight_hh_l0"), step.h_before, find_parameter(layer, "bias_hh_l0"));
  for (std::size_t k = 0; k < cell.gates.size(); ++k) {
    step.gates.push_back({std::string(cell.gates[k]), a[k * H + unit], q[k * H + unit], 0});
  }
  StateRows after = step_all_units(cell, before, a, q, layer.options().hidden_size);
  for (std::size_t k = 0; k < cell.gates.size(); ++k) step.gates[k].value = a[k * H + unit];
  if (const Tensor* projection = find_parameter(layer, "weight_hr_l0")) {
    step.unprojected = after[0][unit];
    after[0] = product(*projection, after[0], nullptr);
  }
  for (std::size_t k = 0; k < after.size(); ++k) {
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
  if (!layer || step.sample < 0) return std::nullopt;
  step.time_step = input.time_step;
  const Cell& cell = find_cell(layer->options().cell);
  step.cell = cell.name;
  step.equations = cell.equations;
  step.adds_parts = !cell.split_gates;

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
