// stack.h: scans fed into scans: several layers, one or two directions, a way past each layer, dropout between.
#pragma once

#include <span>

#include "base/random.h"
#include "layers/recurrent/topology.h"
#include "layers/scan/scan.h"

namespace carousel {

template <class T>
struct StackInput {
  const Cell* cell = nullptr;
  int layers = 1, directions = 1;
  std::int64_t heads = 1, transitions = 1;  // as in ScanInput
  const SequenceLayout* layout = nullptr;
  BasicVariable<T> x;  // [rows, C], or folded, as in ScanInput
  std::span<const std::int32_t> row_index;
  BasicVariable<T> lower;   // [rows, D H]: of a cell with `entry`, what the lowest layer reads as that of a layer below
  OutputLayer output = {};  // as in ScanInput
  std::span<const ScanWeights<T>> weights;  // entry (l * directions + d) * transitions + k: of layer l, direction d
  Merge merge = Merge::kConcat;             // of two directions, after every layer
  // Past every layer; past the lowest one if it reads [rows, W]. REQUIRES: no row_index there.
  Connection connection = Connection::kNone;
  std::span<const HighwayGate<T>> highway = {};  // entry l: layer l; only with such a connection
  // Dropout, active if above 0: between layers (element-wise; not on the way past the upper one) and on h in the
  // recurrent product (one mask per sequence). Mask number k, or the zoneout of scan k, is drawn from `key` with step +
  // k.
  double dropout = 0, recurrent_dropout = 0;
  RandomKey key;
  Zoneout zoneout;                              // as in ScanInput; its key is taken from the one above
  std::int64_t bptt = 0, checkpoint_steps = 0;  // as in ScanInput
};

template <class T>
struct StackOutput {
  BasicVariable<T> output;  // [rows, W] of the top layer: D P, or P if they are merged
  // Entry (l * directions + d) * states + k: state k after the last valid step, [samples, width]. In the tape's arena.
  std::span<const BasicVariable<T>> final;
};

template <class T>
StackOutput<T> run_stack(const StackInput<T>& input);

}  // namespace carousel
