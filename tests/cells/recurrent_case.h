// recurrent_case.h: a random recurrent stack of any cell, for the tests of the cells.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "layers/pool_ops.h"
#include "layers/stack.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {

struct CaseSizes {
  std::int64_t time_steps = 4, samples = 3, input_size = 5, hidden_size = 2, proj_size = 0;
  int layers = 1, directions = 1;
  std::vector<std::int32_t> lengths = {};  // empty: all time_steps
  bool initial = true;
};

// All parameters, x [T, N, C] and the initial states [N, width] are leaves that take gradients.
template <class T>
struct RecurrentCase {
  const Cell* cell;
  CaseSizes sizes;
  SequenceLayout layout;
  BasicParameter<T> x;
  std::deque<BasicParameter<T>> weights;  // five a scan (weight_hr only with projection), then its initial states
  double dropout = 0, recurrent_dropout = 0;
  std::int64_t bptt = 0, checkpoint_steps = 0;

  RecurrentCase(const Cell& which, CaseSizes s) : cell(&which), sizes(std::move(s)) {
    layout.assign(sizes.time_steps, sizes.samples, sizes.lengths);
    x = random("x", {sizes.time_steps, sizes.samples, sizes.input_size});
    const std::int64_t width = cell->gate_count() * sizes.hidden_size;
    for (int l = 0; l < sizes.layers; ++l) {
      const std::int64_t in = l == 0 ? sizes.input_size : sizes.directions * output_size();
      for (int d = 0; d < sizes.directions; ++d) {
        const std::string suffix = "_l" + std::to_string(l) + (d ? "_reverse" : "");
        weights.push_back(random("weight_ih" + suffix, {width, in}));
        weights.push_back(random("weight_hh" + suffix, {width, output_size()}));
        weights.push_back(random("bias_ih" + suffix, {width}));
        weights.push_back(random("bias_hh" + suffix, {width}));
        if (sizes.proj_size > 0) weights.push_back(random("weight_hr" + suffix, {sizes.proj_size, sizes.hidden_size}));
        for (int k = 0; k < cell->state_count(); ++k) {
          weights.push_back(random("initial" + std::to_string(k) + suffix, {sizes.samples, state_width(k)}));
          if (!sizes.initial) weights.back().value.fill(0);
        }
      }
    }
  }

  std::int64_t output_size() const { return sizes.proj_size > 0 ? sizes.proj_size : sizes.hidden_size; }
  std::int64_t state_width(int k) const { return k == 0 ? output_size() : sizes.hidden_size; }
  std::size_t per_scan() const {
    return 4 + (sizes.proj_size > 0 ? 1 : 0) + static_cast<std::size_t>(cell->state_count());
  }
  BasicParameter<T>& initial(int scan, int state) {
    return weights[static_cast<std::size_t>(scan + 1) * per_scan() -
                   static_cast<std::size_t>(cell->state_count() - state)];
  }
  std::vector<BasicParameter<T>*> parameters() {
    std::vector<BasicParameter<T>*> list{&x};
    for (auto& weight : weights) list.push_back(&weight);
    return list;
  }

  struct Result {
    BasicVariable<T> output;              // [T, N, D P]
    std::vector<BasicVariable<T>> final;  // per scan and state
    std::vector<ScanWeights<T>> scan_weights;
  };

  Result run(Tape<T>& tape) {
    Result result;
    auto next = weights.begin();
    for (int k = 0; k < sizes.layers * sizes.directions; ++k) {
      ScanWeights<T> w;
      w.weight_ih = tape.parameter(*next++);
      w.weight_hh = tape.parameter(*next++);
      w.bias_ih = tape.parameter(*next++);
      w.bias_hh = tape.parameter(*next++);
      if (sizes.proj_size > 0) w.weight_hr = tape.parameter(*next++);
      for (int s = 0; s < cell->state_count(); ++s) w.initial[s] = tape.parameter(*next++);
      result.scan_weights.push_back(w);
    }
    StackInput<T> input;
    input.cell = cell;
    input.layers = sizes.layers;
    input.directions = sizes.directions;
    input.layout = &layout;
    const auto padded = reshape(tape.parameter(x), {sizes.time_steps * sizes.samples, sizes.input_size});
    input.x = select_rows(padded, layout.padded_rows());
    input.weights = result.scan_weights;
    input.dropout = dropout;
    input.bptt = bptt;
    input.checkpoint_steps = checkpoint_steps;
    input.recurrent_dropout = recurrent_dropout;
    input.key = {7, Purpose::kDropout, 3};
    const StackOutput<T> out = run_stack(input);
    result.output = unpack(out.output, layout);
    result.final.assign(out.final.begin(), out.final.end());
    return result;
  }

  // Everything that a run gives, side by side in one row: the loss of a gradient check sees all of it.
  BasicVariable<T> all_outputs(Tape<T>& tape) {
    const Result result = run(tape);
    std::vector<BasicVariable<T>> parts{reshape(result.output, {1, result.output.shape().elements()})};
    for (const auto& state : result.final) parts.push_back(reshape(state, {1, state.shape().elements()}));
    return concatenate_columns(std::span<const BasicVariable<T>>(parts));
  }

 private:
  static BasicParameter<T> random(const std::string& name, const Shape& shape) {
    const BasicParameter<double> source = random_parameter(name, shape, 0.6);
    BasicTensor<T> value(shape);
    std::copy_n(source.value.data(), value.elements(), value.data());
    return BasicParameter<T>(name, std::move(value));
  }
};

}  // namespace carousel
