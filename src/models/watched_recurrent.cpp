#include "models/watched_recurrent.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "base/thread_pool.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/recurrent/topology.h"
#include "models/step_jacobian.h"

namespace carousel {
namespace {

// For every step who of the samples takes it, as a layout of one step.
std::vector<SequenceLayout> single_steps(const SequenceLayout& layout) {
  std::vector<SequenceLayout> steps;
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(layout.samples()));
  for (std::int64_t t = 0; t < layout.longest(); ++t) {
    for (std::int64_t k = 0; k < layout.samples(); ++k) {
      lengths[static_cast<std::size_t>(k)] = k < layout.batch_size(t) ? 1 : 0;
    }
    steps.emplace_back(1, std::span<const std::int32_t>(lengths));
  }
  return steps;
}

Variable rows_of(Variable x, const std::vector<std::int64_t>& index) {
  return select_rows(x, std::span<const std::int64_t>(index));
}

// Of every row: x [rows, 2 H] -> [rows, H].
Variable first_half(Variable x) {
  std::vector<std::int64_t> index;
  for (std::int64_t k = 0; k < x.shape()[0]; ++k) index.push_back(2 * k);
  return rows_of(reshape(x, {2 * x.shape()[0], x.shape()[1] / 2}), index);
}

}  // namespace

void WatchedRecurrent::forward(detail::Flow& flow) {
  layout_ = flow.layout;
  steps_ = single_steps(*layout_);
  if (steps_.empty()) fail(Code::kUsage, "{}: every sample is empty, there is no step to look at", name_);
  std::vector<Variable> lower(static_cast<std::size_t>(inner_.directions()));
  if (find_cell(inner_.options().cell).entry) {
    inner_.enter(flow, lower[0]);
    if (inner_.directions() == 2) lower[0] = first_half(lower[0]);  // it stands there once for each direction
    lower.back() = lower[0];
  }
  Variable x = flow.rows("recurrent");
  std::vector<Variable> last;
  for (std::int64_t l = 0; l < inner_.options().layers; ++l) {
    std::vector<Variable> outputs;
    last.clear();
    for (int d = 0; d < inner_.directions(); ++d) {
      Variable& below = lower[static_cast<std::size_t>(d)];
      outputs.push_back(run(x, below, l, d == 1));
      if (inner_.state_count() > 1) below = pack(scans_.back(), 1);
      last.push_back(scans_.back().states[d == 1 ? 0 : steps_.size() - 1][0]);
    }
    x = join(x, concatenate_columns(std::span<const Variable>(outputs)), l);
  }
  std::vector<std::int64_t> sorted(static_cast<std::size_t>(layout_->samples()));
  for (std::int64_t k = 0; k < layout_->samples(); ++k) sorted[static_cast<std::size_t>(layout_->sample(k))] = k;
  for (Variable& state : last) state = rows_of(state, sorted);
  flow.last = last_outputs(inner_.options(), *layout_, x, last);
  flow.x = x;
  flow.row_index = {};
  flow.states_used += static_cast<std::size_t>(inner_.state_count());
}

// What goes on from a layer that read x and whose directions gave `output`.
Variable WatchedRecurrent::join(Variable x, Variable output, std::int64_t index) const {
  const RecurrentOptions& o = inner_.options();
  const std::string suffix = weight_suffix(o, index, 0);
  HighwayGate<float> gate;
  if (const Parameter* weight = inner_.parameter("weight_highway" + suffix)) {
    gate.weight = x.tape().constant(weight->value.view());
    gate.bias = x.tape().constant(inner_.parameter("bias_highway" + suffix)->value.view());
  }
  if (inner_.directions() == 2) output = merge_halves(output, parse_merge(o.merge));
  return connect(parse_connection(o.connection), gate, x, output);
}

// Packed rows [rows, P] of one layer and direction.
Variable WatchedRecurrent::run(Variable x, Variable lower, std::int64_t index, bool reverse) {
  const Cell& cell = cell_of_layer(find_cell(inner_.options().cell), index);
  const auto T = std::ssize(steps_);
  Tape<float>& tape = x.tape();
  Scan& here = scans_.emplace_back(Scan{index, reverse, x, lower, std::vector<StateVariables>(steps_.size())});
  std::vector<ScanWeights<float>> cells = constant_weights(tape, inner_, index, reverse);
  ScanWeights<float>& weights = cells[0];  // those of the first cell of a step take its states
  for (int s = 0; s < cell.state_count(); ++s) {
    const Shape shape{layout_->samples(), inner_.state_shape(s, 1)[2]};
    auto* values = tape.arena().allocate<float>(shape.elements());
    std::fill_n(values, shape.elements(), 0.0f);
    const std::span<const float> row = initial_state(inner_, index, reverse ? 1 : 0, s);
    for (std::int64_t n = 0; n < layout_->samples(); ++n) std::copy(row.begin(), row.end(), values + n * shape[1]);
    weights.initial[s] = tape.input({values, shape});
  }
  for (std::int64_t i = 0; i < T; ++i) {
    const std::int64_t t = reverse ? T - 1 - i : i;
    std::vector<std::int64_t> rows(static_cast<std::size_t>(layout_->batch_size(t)));
    std::iota(rows.begin(), rows.end(), layout_->offset(t));
    ScanInput<float> input;
    input.cell = &cell;
    input.layout = &steps_[static_cast<std::size_t>(t)];
    input.x = rows_of(x, rows);
    if (cell.lower) input.lower = rows_of(lower, rows);
    input.output = output_layer(inner_.options());
    input.heads = inner_.options().heads;
    input.zoneout = mean_zoneout(inner_.options());
    input.directions = cells;
    input.transitions = std::ssize(cells);
    const ScanOutput<float> out = scan(input);
    StateVariables& states = here.states[static_cast<std::size_t>(t)];
    for (int s = 0; s < cell.state_count(); ++s) {
      states[static_cast<std::size_t>(s)] = weights.initial[s] = out.final[0][s];
    }
  }
  return pack(here, 0);
}

// A state of all steps as packed rows: everything above reads it through the variables that are watched.
Variable WatchedRecurrent::pack(const Scan& scan, std::size_t state) const {
  const auto T = std::ssize(steps_);
  std::vector<Variable> h;
  for (const StateVariables& states : scan.states) h.push_back(states[state]);
  const Variable all = concatenate_columns(std::span<const Variable>(h));  // [samples, T P]
  std::vector<std::int64_t> index;
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::int64_t k = 0; k < layout_->batch_size(t); ++k) index.push_back(k * T + t);
  }
  return rows_of(reshape(all, {layout_->samples() * T, all.shape()[1] / T}), index);
}

std::vector<double> WatchedRecurrent::norms(const Scan& scan, int state) const {
  std::vector<double> list;
  for (std::size_t t = 0; t < steps_.size(); ++t) {
    const Node<float>* node = scan.states[t][static_cast<std::size_t>(state)].node();
    const std::int64_t running = layout_->batch_size(static_cast<std::int64_t>(t)) * node->shape()[1];
    double squares = 0;  // stays so if the loss does not depend on this state
    for (std::int64_t j = 0; node->gradient != nullptr && j < running; ++j) {
      squares += double{node->gradient[j]} * node->gradient[j];
    }
    list.push_back(std::sqrt(squares));
  }
  return list;
}

// Of the longest sample, the first one.
double WatchedRecurrent::jacobian_norm(const Scan& scan, std::int64_t t) const {
  const std::int64_t before = scan.reverse ? t + 1 : t - 1;
  std::vector<std::vector<float>> states;
  std::int64_t units = 0;
  for (int s = 0; s < inner_.state_count(); ++s) {
    const auto width = static_cast<std::size_t>(inner_.state_shape(s, 1)[2]);
    std::vector<float>& state = states.emplace_back(width);
    units += std::ssize(state);
    if (before < 0 || before >= std::ssize(steps_)) {
      const std::span<const float> row = initial_state(inner_, scan.index, scan.reverse ? 1 : 0, s);
      std::copy(row.begin(), row.end(), state.begin());
      continue;
    }
    const Variable& value = scan.states[static_cast<std::size_t>(before)][static_cast<std::size_t>(s)];
    std::copy_n(value.value().data, width, state.begin());
  }
  const std::int64_t C = scan.x.shape()[1];
  const std::span<const float> x(scan.x.value().data + layout_->offset(t) * C, static_cast<std::size_t>(C));
  std::span<const float> lower;
  if (const std::int64_t H = inner_.options().hidden_size; scan.lower) {
    lower = {scan.lower.value().data + layout_->offset(t) * H, static_cast<std::size_t>(H)};
  }
  return largest_singular_value(step_jacobian(inner_, scan.index, scan.reverse, {x, lower}, states), units);
}

std::vector<ScanGradient> WatchedRecurrent::gradients() const {
  const Cell& cell = find_cell(inner_.options().cell);
  std::vector<ScanGradient> list;
  for (const Scan& scan : scans_) {
    ScanGradient& result = list.emplace_back();
    result.layer = name_;
    result.cell = cell.name;
    result.index = scan.index;
    result.reverse = scan.reverse;
    for (int s = 0; s < cell.state_count(); ++s) {
      result.states.push_back({std::string(cell.states[static_cast<std::size_t>(s)]), norms(scan, s)});
    }
    result.jacobian_norms.resize(steps_.size());
    parallel_for(std::ssize(steps_),
                 [&](std::int64_t t) { result.jacobian_norms[static_cast<std::size_t>(t)] = jacobian_norm(scan, t); });
  }
  return list;
}

}  // namespace carousel
