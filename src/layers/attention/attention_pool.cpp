#include "layers/attention/attention_pool.h"

#include <algorithm>

#include "autograd/ops/attention_context.h"
#include "autograd/ops/attention_weights.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/tanh.h"
#include "base/fail.h"
#include "carousel/attention.h"
#include "layers/initialize.h"
#include "layers/module.h"
#include "layers/row_orders.h"

namespace carousel {

template <class T>
AttentionPoolOutput<T> attention_pool(const AttentionPoolInput<T>& input) {
  const SequenceLayout& layout = *input.layout;
  Arena& arena = input.x.tape().arena();
  const std::int64_t N = layout.samples(), A = input.vector.shape().elements();
  const RowOrders orders = row_orders(arena, layout);
  auto* one_each = arena.allocate<std::int64_t>(N);
  auto* sorted_place = arena.allocate<std::int64_t>(N);
  std::fill_n(one_each, N, 1);
  for (std::int64_t k = 0; k < N; ++k) sorted_place[layout.sample(k)] = k;
  const auto samples = static_cast<std::size_t>(N);
  const AttentionBlocks blocks = make_attention_blocks(arena, {one_each, samples}, orders.lengths, 1);
  const BasicVariable<T> x = select_rows(input.x, orders.by_sample);
  const BasicVariable<T> units = tanh(linear(x, input.weight, input.bias));
  const BasicVariable<T> scores = linear(units, reshape(input.vector, {1, A}), BasicVariable<T>());
  AttentionPoolOutput<T> result;
  result.weights = attention_weights(reshape(scores, {layout.rows()}), blocks);
  const BasicVariable<T> context = attention_context(result.weights, x, blocks);
  result.output = select_rows(context, std::span<const std::int64_t>(sorted_place, samples));
  return result;
}

template <class T>
BasicTensor<T> attention_pool_alignments(const SequenceLayout& layout, const AttentionPoolOutput<T>& output) {
  BasicTensor<T> alignments({layout.samples(), layout.time_steps()});
  const T* weights = output.weights.value().data;
  for (std::int64_t k = 0; k < layout.samples(); ++k) {
    std::copy_n(weights, layout.length(k), alignments.data() + layout.sample(k) * layout.time_steps());
    weights += layout.length(k);
  }
  return alignments;
}

#define CAROUSEL_INSTANTIATE(T)                                                 \
  template AttentionPoolOutput<T> attention_pool(const AttentionPoolInput<T>&); \
  template BasicTensor<T> attention_pool_alignments(const SequenceLayout&, const AttentionPoolOutput<T>&);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

AttentionPool::AttentionPool(std::int64_t input_size, std::int64_t attention_size) {
  if (input_size < 1 || attention_size < 1) {
    fail(Code::kUsage, "attention_pool: input_size {} and attention_size {} must be at least 1", input_size,
         attention_size);
  }
  weight = Parameter("attn_weight_h", Tensor({attention_size, input_size}));
  bias = Parameter("attn_bias", Tensor({attention_size}));
  vector = Parameter("attn_v", Tensor({attention_size}));
}

void AttentionPool::initialize(std::uint64_t seed) {
  initialize_xavier({seed, Purpose::kWeights, 0}, weight.value.shape()[0], weight.value.view());
  bias.value.fill(0);
  initialize_xavier({seed, Purpose::kWeights, 1}, 1, vector.value.view());
}

LayerDescription AttentionPool::describe() const {
  return {"attention_pool", {{"input_size", weight.value.shape()[1]}, {"attention_size", weight.value.shape()[0]}}, {}};
}

void AttentionPool::forward(detail::Flow& flow) {
  if (!flow.is_sequence) fail(Code::kUsage, "attention_pool: the layer below already gives one row per sample");
  const AttentionPoolOutput<float> out = attention_pool<float>({.layout = flow.layout,
                                                                .x = flow.rows("attention_pool"),
                                                                .weight = flow.tape->parameter(weight),
                                                                .bias = flow.tape->parameter(bias),
                                                                .vector = flow.tape->parameter(vector)});
  flow.x = out.output;
  flow.is_sequence = false;
  flow.last = {};
  if (flow.alignments) flow.alignments->push_back(attention_pool_alignments(*flow.layout, out));
}

}  // namespace carousel
