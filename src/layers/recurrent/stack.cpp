#include "layers/recurrent/stack.h"

#include "autograd/ops/dropout.h"

namespace carousel {

template <class T>
StackOutput<T> run_stack(const StackInput<T>& input) {
  Tape<T>& tape = input.x.tape();
  const int states = input.cell->state_count(), D = input.directions;
  const std::int64_t count = std::int64_t{input.layers} * D * states;
  auto* final = tape.arena().template allocate<BasicVariable<T>>(count);
  RandomKey key = input.key;

  ScanInput<T> scan_input;
  scan_input.layout = input.layout;
  scan_input.heads = input.heads;
  scan_input.transitions = input.transitions;
  scan_input.x = input.x;
  scan_input.row_index = input.row_index;
  scan_input.lower = input.lower;
  scan_input.output = input.output;
  scan_input.bptt = input.bptt;
  scan_input.checkpoint_steps = input.checkpoint_steps;
  const auto cells = static_cast<std::size_t>(D * input.transitions);
  BasicVariable<T> x = input.x;
  for (int l = 0; l < input.layers; ++l) {
    scan_input.cell = &cell_of_layer(*input.cell, l);
    scan_input.upper = input.cell->lower && l + 1 < input.layers;
    scan_input.directions = input.weights.subspan(static_cast<std::size_t>(l) * cells, cells);
    for (int d = 0; d < D && input.recurrent_dropout > 0; ++d) {
      const ScanWeights<T>& w = scan_input.directions[0];
      const std::int64_t width =
          w.weight_hr ? w.weight_hr.shape()[0] : w.weight_ih.shape()[0] / scan_input.cell->gate_count();
      const std::int64_t size = input.layout->samples() * width;
      T* mask = tape.arena().template allocate<T>(size);
      fill_dropout_mask<T>(input.recurrent_dropout, key, {mask, static_cast<std::size_t>(size)});
      ++key.step;
      scan_input.recurrent_mask[d] = mask;
    }
    scan_input.zoneout = input.zoneout;
    scan_input.zoneout.key = key;
    if (input.zoneout.active()) key.step += static_cast<std::uint64_t>(D);
    const ScanOutput<T> out = scan(scan_input);
    for (int d = 0; d < D; ++d) {
      for (int k = 0; k < states; ++k) new (final + (l * D + d) * states + k) BasicVariable<T>(out.final[d][k]);
    }
    const HighwayGate<T> gate = input.highway.empty() ? HighwayGate<T>() : input.highway[static_cast<std::size_t>(l)];
    x = connect(input.connection, gate, x, D == 2 ? merge_halves(out.output, input.merge) : out.output);
    scan_input.x = x;
    scan_input.lower = out.upper;
    scan_input.row_index = {};
    if (input.dropout > 0 && l + 1 < input.layers) {
      scan_input.x = dropout(x, input.dropout, key);
      ++key.step;
    }
  }
  return {x, {final, static_cast<std::size_t>(count)}};
}

template StackOutput<float> run_stack(const StackInput<float>&);
template StackOutput<double> run_stack(const StackInput<double>&);

}  // namespace carousel
