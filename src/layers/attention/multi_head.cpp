#include "layers/attention/multi_head.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/attention_context.h"
#include "autograd/ops/attention_scores.h"
#include "autograd/ops/attention_weights.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/select_rows.h"
#include "layers/row_orders.h"

namespace carousel {
template <class T>
MultiHeadOutput<T> multi_head_attention(const MultiHeadInput<T>& input) {
  const std::int64_t E = input.x.shape().back();
  if (input.heads < 1 || E % input.heads != 0) {
    fail(Code::kUsage, "attention: {} heads do not divide a size of {}", input.heads, E);
  }
  Arena& arena = input.x.tape().arena();
  const RowOrders orders = row_orders(arena, *input.layout);
  const BasicVariable<T> x = select_rows(input.x, orders.by_sample);
  MemoryRows<T> memory{x, orders.lengths};
  if (input.memory.states) memory = sample_rows(input.memory, *input.layout);
  MultiHeadOutput<T> result;
  result.blocks = make_attention_blocks(arena, orders.lengths, memory.lengths, input.heads);
  const double factor = 1 / std::sqrt(static_cast<double>(E / input.heads));
  const BasicVariable<T> q = scale(linear(x, input.weight_q, input.bias_q), factor);
  const BasicVariable<T> k = linear(memory.rows, input.weight_k, input.bias_k);
  const BasicVariable<T> v = linear(memory.rows, input.weight_v, input.bias_v);
  result.weights = attention_weights(attention_scores(q, k, result.blocks), result.blocks, input.causal);
  const BasicVariable<T> context = select_rows(attention_context(result.weights, v, result.blocks), orders.back);
  result.output = linear(context, input.weight_out, input.bias_out);
  return result;
}

template <class T>
BasicTensor<T> multi_head_alignments(const MultiHeadInput<T>& input, const MultiHeadOutput<T>& output) {
  const SequenceLayout& layout = *input.layout;
  const std::int64_t steps = layout.time_steps(), heads = output.blocks.heads;
  const std::int64_t S = input.memory.states ? input.memory.states.shape()[0] : steps;
  BasicTensor<T> alignments({layout.samples(), heads, steps, S});
  for (std::int64_t k = 0; k < layout.samples(); ++k) {
    const AttentionBlock& block = output.blocks.list[static_cast<std::size_t>(k)];
    const T* weights = output.weights.value().data + block.pair;
    for (std::int64_t head = 0; head < heads; ++head) {
      for (std::int64_t i = 0; i < block.queries; ++i, weights += block.keys) {
        std::copy_n(weights, block.keys, alignments.data() + ((layout.sample(k) * heads + head) * steps + i) * S);
      }
    }
  }
  return alignments;
}

#define CAROUSEL_INSTANTIATE(T)                                               \
  template MultiHeadOutput<T> multi_head_attention(const MultiHeadInput<T>&); \
  template BasicTensor<T> multi_head_alignments(const MultiHeadInput<T>&, const MultiHeadOutput<T>&);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel
