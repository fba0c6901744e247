// low_precision.h: a stack of recurrent layers over whole sequences with weights in bf16 or int8, for inference.
//
// The same steps as a Stream's (cells/stream_layer.h), on blocks of samples: what `evaluate --dtype` measures is, bit
// for bit, what a stream computes. Owns the packed weights; the parameters may change or go afterwards.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "carousel/layers.h"
#include "layers/recurrent/stack.h"
#include "layers/scan/stream_transition.h"
#include "layers/sequence_layout.h"

namespace carousel::detail {

class LowPrecisionStack {
 public:
  LowPrecisionStack(const Recurrent& layer, WeightFormat format);

  // x [rows, C], lower as in StackInput; weights: only their initial states are looked at. As run_stack, without
  // gradients.
  StackOutput<float> run(Variable x, Variable lower, const SequenceLayout& layout,
                         std::span<const ScanWeights<float>> weights) const;

 private:
  // One layer and direction over a batch.
  struct Scan {
    const StreamTransition& kernel;
    const SequenceLayout& layout;
    bool reverse;
    View<const float> x;      // [rows, width of the layer below]
    float* output;            // [rows, output_width], this direction's columns
    const float* lower;       // [rows, D H], this direction's columns; null: not read
    float* upper;             // the same for the layer above; null: not wanted
    const Variable* initial;  // one for each state; empty: zero
    float* const* final;      // for each state [samples, its width]
  };
  void run_block(const Scan& scan, std::int64_t first, float* states, std::byte* workspace) const;
  Variable join(std::int64_t layer, Variable x, Variable output) const;
  std::int64_t width(int state) const noexcept { return cell_.state_width(state, sizes_); }

  const Cell& cell_;
  int directions_;
  CellSizes sizes_;
  std::int64_t layers_, hidden_size_, output_units_;  // output_units: P, or H without projection
  // Entry l * directions + d: layer l, direction d; of tied layers those of layer 0.
  std::vector<StreamTransition> kernels_;
  Merge merge_;
  std::vector<StreamConnection> connections_;  // past each layer
};

}  // namespace carousel::detail
