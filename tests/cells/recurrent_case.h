// recurrent_case.h: a random recurrent stack of any cell, and suites that run on every cell, for the tests of the
// cells.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/sum.h"
#include "base/thread_pool.h"
#include "layers/pool_ops.h"
#include "layers/recurrent/stack.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {

struct CaseSizes {
  std::int64_t time_steps = 4, samples = 3, input_size = 5, hidden_size = 2, proj_size = 0;
  int layers = 1, directions = 1;
  std::vector<std::int32_t> lengths = {};  // empty: all time_steps
  bool initial = true;
  std::int64_t heads = 1;  // of a matrix memory
  int transitions = 1;     // cells per step
};

// A row that is divided by its deviation bends sharply where that is small.
inline GradientCheckOptions difference_options(const Cell& cell) { return {.extrapolate = cell.normalised}; }

// All parameters, x [T, N, C] and the initial states [N, width] are leaves that take gradients.
template <class T>
struct RecurrentCase {
  const Cell* cell;
  CaseSizes sizes;
  SequenceLayout layout;
  BasicParameter<T> x;
  std::deque<BasicParameter<T>> weights;  // those that the cell has of each scan, then its initial states
  BasicTensor<T> fixed_units;             // of a cell whose unit weights are not trained
  BasicParameter<T> weight_lower;         // [H, C]: makes what the lowest layer of a cell with `entry` reads of x
  OutputLayer output_layer{OutputActivation::kSigmoid, 0.5};
  double dropout = 0, recurrent_dropout = 0;
  Zoneout zoneout;
  std::int64_t bptt = 0, checkpoint_steps = 0;

  RecurrentCase(const Cell& which, CaseSizes s) : cell(&which), sizes(std::move(s)) {
    layout.assign(sizes.time_steps, sizes.samples, sizes.lengths);
    x = random("x", {sizes.time_steps, sizes.samples, sizes.input_size});
    const std::int64_t H = sizes.hidden_size;
    weight_lower = random("weight_lower", {H, sizes.input_size});
    fixed_units = BasicTensor<T>({cell->unit_weight_count() * H});
    for (std::int64_t k = 0; k < fixed_units.elements(); ++k) fixed_units[k] = static_cast<T>(k % 3 + 1);  // periods
    for (int l = 0; l < sizes.layers; ++l) {
      const Cell& own = cell_of_layer(*cell, l);
      const std::int64_t in = l == 0 ? sizes.input_size : sizes.directions * output_size();
      const std::int64_t width = own.first_row(own.gate_count(), H, sizes.heads);
      const std::int64_t recurrent = own.recurrent_gates() * H;
      for (int d = 0; d < sizes.directions; ++d) {
        const std::string scan = "_l" + std::to_string(l) + (d ? "_reverse" : "");
        for (int t = 0; t < sizes.transitions; ++t) {
          const std::string suffix = scan + (t > 0 ? "_t" + std::to_string(t) : "");
          if (t == 0) weights.push_back(random("weight_ih" + suffix, {width, in}));
          if (has_product()) weights.push_back(random("weight_hh" + suffix, {recurrent, recurrent_size()}));
          if (t == 0) weights.push_back(random("bias_ih" + suffix, {width}));
          if (has_product()) weights.push_back(random("bias_hh" + suffix, {recurrent}));
          if (projected()) weights.push_back(random("weight_hr" + suffix, {output_size(), H}));
          if (cell->output_layer) weights.push_back(random("bias_hr" + suffix, {output_size()}));
          if (has_units(own)) weights.push_back(random("weight_ph" + suffix, {own.unit_weight_count() * H}));
        }
        first_initial_.push_back(weights.size());
        for (int k = 0; k < cell->state_count(); ++k) {
          weights.push_back(random("initial" + std::to_string(k) + scan, {sizes.samples, state_width(k)}));
          if (!sizes.initial) weights.back().value.fill(0);
        }
      }
    }
  }

  std::int64_t output_size() const { return sizes.proj_size > 0 ? sizes.proj_size : sizes.hidden_size; }
  bool projected() const { return sizes.proj_size > 0 || cell->output_layer; }
  std::int64_t state_width(int k) const {
    return cell->state_width(k, {sizes.hidden_size, output_size(), sizes.heads});
  }
  std::int64_t recurrent_size() const {
    std::int64_t size = 0;
    for (const int state : cell->recurrent_states) size += state_width(state);
    return size;
  }
  // What the cell can have of it, drawn as in training.
  void set_zoneout(double output, double memory) {
    const bool none = cell->has_matrix(), no_memory = cell->state_count() == 1 || cell->fixed_unit_weights;
    zoneout = {.output = none ? 0 : output, .memory = none || no_memory ? 0 : memory, .draws = true, .key = {}};
  }
  bool has_product() const { return cell->recurrent_gates() > 0; }
  static bool has_units(const Cell& own) { return own.unit_weight_count() > 0 && !own.fixed_unit_weights; }
  bool has_units() const { return has_units(cell_of_layer(*cell, 0)); }
  // Of the first scan, without the initial states.
  std::size_t weights_per_scan() const { return first_initial_[0]; }
  std::size_t per_scan() const { return weights_per_scan() + static_cast<std::size_t>(cell->state_count()); }
  BasicParameter<T>& initial(int scan, int state) {
    return weights[first_initial_[static_cast<std::size_t>(scan)] + static_cast<std::size_t>(state)];
  }
  std::vector<BasicParameter<T>*> parameters() {
    std::vector<BasicParameter<T>*> list{&x};
    for (auto& weight : weights) list.push_back(&weight);
    if (cell->entry) list.push_back(&weight_lower);
    return list;
  }

  struct Result {
    BasicVariable<T> output;              // [T, N, D P]
    std::vector<BasicVariable<T>> final;  // per scan and state
  };

  std::size_t cell_count() const {
    return static_cast<std::size_t>(sizes.layers * sizes.directions * sizes.transitions);
  }

  // The stack on this tape, ready to run. scan_weights: [cell_count()], lives as long as the input.
  StackInput<T> input(Tape<T>& tape, std::span<ScanWeights<T>> scan_weights) {
    auto next = weights.begin();
    const auto transitions = static_cast<std::size_t>(sizes.transitions);
    for (std::size_t k = 0; k < scan_weights.size(); ++k) {
      ScanWeights<T>& w = scan_weights[k];
      const auto index = static_cast<std::int64_t>(k);
      const Cell& own = cell_of_layer(*cell, index / (sizes.directions * sizes.transitions));
      const bool first = index % sizes.transitions == 0, last = (index + 1) % sizes.transitions == 0;
      if (first) w.weight_ih = tape.parameter(*next++);
      if (has_product()) w.weight_hh = tape.parameter(*next++);
      if (first) w.bias_ih = tape.parameter(*next++);
      if (has_product()) w.bias_hh = tape.parameter(*next++);
      if (projected()) w.weight_hr = tape.parameter(*next++);
      if (cell->output_layer) w.bias_hr = tape.parameter(*next++);
      if (has_units(own)) w.weight_ph = tape.parameter(*next++);
      if (cell->fixed_unit_weights) w.weight_ph = tape.constant(fixed_units.view());
      ScanWeights<T>& of_scan = scan_weights[k / transitions * transitions];
      for (int s = 0; s < cell->state_count() && last; ++s) of_scan.initial[s] = tape.parameter(*next++);
    }
    const auto padded = reshape(tape.parameter(x), {sizes.time_steps * sizes.samples, sizes.input_size});
    const auto rows = select_rows(padded, layout.padded_rows());
    return {.cell = cell,
            .layers = sizes.layers,
            .directions = sizes.directions,
            .heads = sizes.heads,
            .transitions = sizes.transitions,
            .layout = &layout,
            .x = rows,
            .row_index = {},
            .lower = cell->entry ? lower(tape, rows) : BasicVariable<T>(),
            .output = output_layer,
            .weights = scan_weights,
            .dropout = dropout,
            .recurrent_dropout = has_product() ? recurrent_dropout : 0,
            .key = {7, Purpose::kDropout, 3},
            .zoneout = zoneout,
            .bptt = bptt,
            .checkpoint_steps = checkpoint_steps};
  }

  Result run(Tape<T>& tape) {
    std::vector<ScanWeights<T>> scan_weights(cell_count());
    const StackOutput<T> out = run_stack(input(tape, scan_weights));
    return {unpack(out.output, layout), {out.final.begin(), out.final.end()}};
  }

  // Everything that a run gives, side by side in one row: the loss of a gradient check sees all of it.
  BasicVariable<T> all_outputs(Tape<T>& tape) {
    const Result result = run(tape);
    std::vector<BasicVariable<T>> parts{reshape(result.output, {1, result.output.shape().elements()})};
    for (const auto& state : result.final) parts.push_back(reshape(state, {1, state.shape().elements()}));
    return concatenate_columns(std::span<const BasicVariable<T>>(parts));
  }

 private:
  std::vector<std::size_t> first_initial_;  // of each scan, in `weights`

  BasicVariable<T> lower(Tape<T>& tape, BasicVariable<T> rows) {
    const auto one = linear(rows, tape.parameter(weight_lower));
    return sizes.directions == 1 ? one : concatenate_columns({one, one});
  }

  static BasicParameter<T> random(const std::string& name, const Shape& shape) {
    const BasicParameter<double> source = random_parameter(name, shape, 0.6);
    BasicTensor<T> value(shape);
    std::copy_n(source.value.data(), value.elements(), value.data());
    return BasicParameter<T>(name, std::move(value));
  }
};

// Whether a step may be several of these cells.
inline bool may_repeat(const Cell& cell) {
  return cell.input_gates == 0 && !cell.has_matrix() && !cell.lower && !cell.output_layer && !cell.fixed_unit_weights;
}

// The base of a suite that runs on every cell of cells.def.
class EveryCell : public ::testing::TestWithParam<std::string> {
 protected:
  const Cell& cell() const { return find_cell(GetParam()); }
};

inline std::vector<std::string> cell_names() {
  std::vector<std::string> list;
  for (const Cell& cell : all_cells()) list.emplace_back(cell.name);
  return list;
}

// How often the heap is asked for memory by two training steps (forward, backward) after the first.
inline std::int64_t allocations_after_the_first_step(RecurrentCase<float>& c) {
  Tape<float> tape;
  std::vector<ScanWeights<float>> weights(c.cell_count());
  const auto step = [&] {
    tape.reset();
    tape.backward(sum(pool_mean(run_stack(c.input(tape, weights)).output, c.layout)));
  };
  step();
  const AllocationCounter counter;
  step();
  step();
  return counter.count();
}

// Outputs and gradients of make(), a RecurrentCase<float>, are the same bits on any number of threads.
template <class Make>
void expect_the_same_bits_on_any_threads(const Make& make) {
  const auto run = [&](int count) {
    set_threads(count);
    RecurrentCase<float> c = make();
    Tape<float> tape;
    const auto all = c.all_outputs(tape);
    std::vector<float> numbers(all.value().span().begin(), all.value().span().end());
    tape.backward(sum(all));
    for (auto* p : c.parameters()) numbers.insert(numbers.end(), p->gradient.span().begin(), p->gradient.span().end());
    return numbers;
  };
  const std::vector<float> expected = run(1);
  for (const int count : {2, 4, 8}) {
    const std::vector<float> got = run(count);
    ASSERT_EQ(expected.size(), got.size());
    EXPECT_EQ(0, std::memcmp(expected.data(), got.data(), got.size() * sizeof(float))) << count << " threads";
  }
  set_threads(0);
}

}  // namespace carousel
