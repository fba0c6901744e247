// attention_memory.h: the states of an encoder, and how well a query fits each of them.
//
//   dot        e_j = q . m_j                          (as wide as each other)
//   general    e_j = q . (W_a m_j)                    W_a [H, E]
//   additive   e_j = v . tanh(W_s q + W_h m_j + w u_j)    W_s [A, H]   W_h [A, E]   v [A]   w [A]
//
//   a = softmax over j of e      c = sum over j of a_j m_j
//
// With `scaled` dot and general are divided by sqrt(H), the width of q (Vaswani et al. 2017).
// (Bahdanau et al. 2014, Luong et al. 2015, who calls the last one concat.) u_j, the coverage, is the sum of what
// former queries gave m_j (Tu et al. 2016, See et al. 2017); w may be left out. The memory stands sample after sample,
// valid states only, so nothing behind the end of a sample takes part.
#pragma once

#include "autograd/ops/attention_blocks.h"
#include "autograd/tape.h"
#include "layers/sequence_layout.h"

namespace carousel {

// Which weights there are says which score it is: `weight` general, the next three additive, none dot.
template <class T>
struct AttentionScore {
  BasicVariable<T> weight;                 // attn_weight
  BasicVariable<T> weight_s, weight_h, v;  // attn_weight_s, attn_weight_h, attn_v
  BasicVariable<T> coverage = {};          // attn_weight_coverage, w; beside the three
  bool scaled = false;                     // not beside the three
};

// A second sequence, padded: [S, N, E] and the valid steps of each sample (empty: S).
template <class T>
struct PaddedMemory {
  BasicVariable<T> states;
  std::span<const std::int32_t> lengths;
};

// Its valid steps, one sample after another in the sorted order of `order`; the lengths in that order, in the arena.
// Throws Error{kUsage} if the samples are not those of `order` or a length is out of range.
template <class T>
struct MemoryRows {
  BasicVariable<T> rows;  // [sum of the lengths, E]
  std::span<const std::int64_t> lengths;
  BasicVariable<T> keys = {};  // of make_memory(), if they were made before
};
template <class T>
MemoryRows<T> sample_rows(const PaddedMemory<T>& memory, const SequenceLayout& order);

// What attend() needs, made once for all queries: the keys do not depend on them.
template <class T>
struct AttentionMemory {
  AttentionScore<T> score;
  BasicVariable<T> states, keys;  // [rows, E], [rows, H or A]
  AttentionBlocks blocks;         // one query for each sample
};
// H: of the queries. Throws Error{kUsage} naming the weight that does not fit.
template <class T>
AttentionMemory<T> make_memory(const AttentionScore<T>& score, const MemoryRows<T>& memory, std::int64_t query_size);

template <class T>
struct Attended {
  BasicVariable<T> context;        // c, [n, E]
  BasicVariable<T> weights;        // a, flat: the states of the first n samples
  BasicVariable<T> coverage = {};  // u before this query, flat as the weights; empty: 0
};
// For one query each of the first n samples, [n, H]; their coverage, flat as the weights, empty: 0. A sample without
// states gets the context 0.
template <class T>
Attended<T> attend(const AttentionMemory<T>& memory, BasicVariable<T> queries, BasicVariable<T> coverage = {});

}  // namespace carousel
