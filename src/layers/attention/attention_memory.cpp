#include "layers/attention/attention_memory.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/add_to_blocks.h"
#include "autograd/ops/attention_context.h"
#include "autograd/ops/attention_scores.h"
#include "autograd/ops/attention_weights.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/tanh.h"

namespace carousel {

template <class T>
MemoryRows<T> sample_rows(const PaddedMemory<T>& memory, const SequenceLayout& order) {
  const Shape& shape = memory.states.shape();
  const std::int64_t N = order.samples();
  if (shape.rank() != 3 || shape[1] != N) {
    fail(Code::kUsage, "attention: the memory has shape {}, expected [steps, {}, size]", shape.to_string(), N);
  }
  if (!memory.lengths.empty() && std::ssize(memory.lengths) != N) {
    fail(Code::kUsage, "attention: got {} lengths of the memory for {} samples", memory.lengths.size(), N);
  }
  Arena& arena = memory.states.tape().arena();
  auto* lengths = arena.allocate<std::int64_t>(N);
  auto* index = arena.allocate<std::int64_t>(shape[0] * N);
  auto* next = index;
  for (std::int64_t k = 0; k < N; ++k) {
    const std::int64_t sample = order.sample(k);
    lengths[k] = memory.lengths.empty() ? shape[0] : memory.lengths[static_cast<std::size_t>(sample)];
    if (lengths[k] < 0 || lengths[k] > shape[0]) {
      fail(Code::kUsage, "attention: length {} of sample {} of the memory is out of range, expected 0 to {}",
           lengths[k], sample, shape[0]);
    }
    for (std::int64_t s = 0; s < lengths[k]; ++s) *next++ = s * N + sample;
  }
  return {select_rows(memory.states, std::span<const std::int64_t>(index, next)),
          {lengths, static_cast<std::size_t>(N)},
          {}};
}

namespace {

template <class T>
void check_weight(const char* name, const BasicVariable<T>& weight, const Shape& expected) {
  if (weight.shape() == expected) return;
  fail(Code::kUsage, "{} has shape {}, expected {}", name, weight.shape().to_string(), expected.to_string());
}

}  // namespace

template <class T>
AttentionMemory<T> make_memory(const AttentionScore<T>& score, const MemoryRows<T>& memory, std::int64_t query_size) {
  Arena& arena = memory.rows.tape().arena();
  const std::int64_t E = memory.rows.shape()[1], N = std::ssize(memory.lengths);
  auto* one_each = arena.allocate<std::int64_t>(N);
  std::fill_n(one_each, N, 1);
  AttentionMemory<T> result{score, memory.rows, memory.rows, {}};
  result.blocks = make_attention_blocks(arena, {one_each, memory.lengths.size()}, memory.lengths, 1);
  if (score.v) {
    const std::int64_t A = score.v.shape().back();
    check_weight("attn_v", score.v, {A});
    check_weight("attn_weight_s", score.weight_s, {A, query_size});
    check_weight("attn_weight_h", score.weight_h, {A, E});
    result.score.v = reshape(score.v, {1, A});
    if (score.coverage) {
      check_weight("attn_weight_coverage", score.coverage, {A});
      result.score.coverage = reshape(score.coverage, {A, 1});
    }
    result.keys = memory.keys ? memory.keys : linear(memory.rows, score.weight_h);
    return result;
  }
  const double root = std::sqrt(static_cast<double>(query_size));
  const auto scaled = [&](BasicVariable<T> x) { return score.scaled ? scale(x, 1 / root) : x; };
  if (score.weight) {
    check_weight("attn_weight", score.weight, {query_size, E});
  } else if (query_size != E) {
    fail(Code::kUsage, "attention: the dot product needs states as wide as the queries, got {} and {}", E, query_size);
  }
  if (memory.keys) {
    result.keys = memory.keys;
  } else {
    result.keys = score.weight ? linear(memory.rows, scaled(score.weight)) : scaled(memory.rows);
  }
  return result;
}

template <class T>
Attended<T> attend(const AttentionMemory<T>& memory, BasicVariable<T> queries, BasicVariable<T> coverage) {
  const AttentionBlocks blocks = memory.blocks.first(queries.shape()[0]);
  BasicVariable<T> scores;
  if (memory.score.v) {
    BasicVariable<T> sums = add_to_blocks(memory.keys, linear(queries, memory.score.weight_s), blocks);
    if (coverage) sums = add(sums, linear(reshape(coverage, {blocks.pairs(), 1}), memory.score.coverage));
    scores = reshape(linear(tanh(sums), memory.score.v), {blocks.pairs()});
  } else {
    scores = attention_scores(queries, memory.keys, blocks);
  }
  const BasicVariable<T> weights = attention_weights(scores, blocks);
  return {attention_context(weights, memory.states, blocks), weights, coverage};
}

#define CAROUSEL_INSTANTIATE(T)                                                                          \
  template MemoryRows<T> sample_rows(const PaddedMemory<T>&, const SequenceLayout&);                     \
  template AttentionMemory<T> make_memory(const AttentionScore<T>&, const MemoryRows<T>&, std::int64_t); \
  template Attended<T> attend(const AttentionMemory<T>&, BasicVariable<T>, BasicVariable<T>);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel
