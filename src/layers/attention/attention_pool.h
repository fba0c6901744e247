// attention_pool.h: one row per sample, its steps weighed by what they say themselves (Yang et al. 2016).
//
//   e_t = v . tanh(W x_t + b)      a = softmax over the valid t of e      y = sum over t of a_t x_t
//   x [rows, C], packed   W [A, C]   b [A]   v [A]   y [samples, C]; 0 for a sample of length 0
#pragma once

#include "autograd/ops/attention_blocks.h"
#include "autograd/tape.h"
#include "layers/sequence_layout.h"

namespace carousel {

template <class T>
struct AttentionPoolInput {
  const SequenceLayout* layout = nullptr;  // of x; borrowed until the tape's reset()
  BasicVariable<T> x, weight, bias, vector;
};

template <class T>
struct AttentionPoolOutput {
  BasicVariable<T> output;   // [samples, C]
  BasicVariable<T> weights;  // a, flat: the steps of one sample after another, in the sorted order of the layout
};

// Throws Error{kUsage} naming the shape that does not fit.
template <class T>
AttentionPoolOutput<T> attention_pool(const AttentionPoolInput<T>& input);

// a as [N, T], 0 behind the ends.
template <class T>
BasicTensor<T> attention_pool_alignments(const SequenceLayout& layout, const AttentionPoolOutput<T>& output);

}  // namespace carousel
