// multi_head.h: scaled dot-product attention with several heads (Vaswani et al. 2017).
//
//   q = x W_q^T + b_q    k = m W_k^T + b_k    v = m W_v^T + b_v      x [rows, E]   m: x itself, or a memory [.., M]
//   per sample and head h:   p = softmax over j of q_i,h . k_j,h / sqrt(D)    c_i,h = sum over j of p_i,j v_j,h
//   y = c W_o^T + b_o      W_q, W_o [E, E]   W_k, W_v [E, M]   head h has the columns [h D, (h + 1) D), D = E / heads
//
// Only valid steps take part, so there is nothing to mask; causal: step i sees the steps 0 .. i alone.
#pragma once

#include "layers/attention/attention_memory.h"

namespace carousel {

template <class T>
struct MultiHeadInput {
  const SequenceLayout* layout = nullptr;  // of x; borrowed until the tape's reset()
  BasicVariable<T> x;                      // [rows, E], packed
  PaddedMemory<T> memory;                  // states empty: x itself
  std::int64_t heads = 1;
  bool causal = false;
  BasicVariable<T> weight_q, weight_k, weight_v, weight_out;
  BasicVariable<T> bias_q, bias_k, bias_v, bias_out;  // [E] each; may be empty
};

template <class T>
struct MultiHeadOutput {
  BasicVariable<T> output;   // [rows, E], packed as x
  BasicVariable<T> weights;  // p, flat (blocks)
  AttentionBlocks blocks;    // the samples in the sorted order of the layout
};

// Throws Error{kUsage} naming what does not fit.
template <class T>
MultiHeadOutput<T> multi_head_attention(const MultiHeadInput<T>& input);

// p as [N, heads, T, S] (S: steps of what is looked at), 0 behind the ends.
template <class T>
BasicTensor<T> multi_head_alignments(const MultiHeadInput<T>& input, const MultiHeadOutput<T>& output);

}  // namespace carousel
