// low_precision.h: a stack of recurrent layers over whole sequences with weights in bf16 or int8, for inference.
//
// The same steps as a Stream's (cells/stream_layer.h), one sample after another: what `evaluate --dtype` measures is
// what a stream computes. Owns the packed weights; the parameters may change or go afterwards. One thread at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "carousel/layers.h"
#include "cells/stream_layer.h"
#include "layers/sequence_layout.h"
#include "layers/stack.h"

namespace carousel::detail {

class LowPrecisionStack {
 public:
  // parameters: as Recurrent keeps them, five for each layer and direction, null where there is none.
  LowPrecisionStack(const RecurrentOptions& options, std::span<const std::unique_ptr<Parameter>> parameters,
                    WeightFormat format);

  // x [rows, C]; weights: only their initial states are looked at. As run_stack, without gradients.
  StackOutput<float> run(Variable x, const SequenceLayout& layout, std::span<const ScanWeights<float>> weights);

 private:
  using Buffer = std::vector<float, AlignedAllocator<float>>;
  struct Scan {
    StreamLayer kernel;
    Buffer weight_hr;  // packed; empty: no projection
  };
  // One sample, one direction.
  struct Pass {
    const SequenceLayout& layout;
    std::int64_t sample;  // its place in the sorted order
    bool reverse;
    const float* input;
    std::int64_t input_width;
    float* output;  // [rows, output_width], this direction's columns
    std::int64_t output_width;
  };
  void run_sample(Scan& scan, const Pass& pass);

  const Cell& cell_;
  int directions_;
  std::int64_t layers_, hidden_size_, output_units_;  // output_units: P, or H without projection
  std::vector<Scan> scans_;
  std::vector<Buffer> states_;  // of the sample that runs
  Buffer next_h_;
};

}  // namespace carousel::detail
