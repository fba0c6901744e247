// multi_head_attention.cpp: the MultiHeadAttention layer.
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "carousel/attention.h"
#include "layers/attention/multi_head.h"
#include "layers/initialize.h"
#include "layers/module.h"

namespace carousel {
namespace {

MultiHeadAttentionOptions checked_multi_head(const MultiHeadAttentionOptions& o) {
  if (o.input_size < 1 || o.heads < 1 || o.input_size % o.heads != 0) {
    fail(Code::kUsage, "multi-head attention: {} heads for an input_size of {}, expected heads that divide it", o.heads,
         o.input_size);
  }
  if (o.memory_size < 0) {
    fail(Code::kUsage, "multi-head attention: memory_size is {}, expected 0 (self-attention) or more", o.memory_size);
  }
  if (o.causal && o.memory_size > 0) {
    fail(Code::kUsage, "multi-head attention: causal is for self-attention, a memory has no order with the input");
  }
  return o;
}

// W_q, W_k and W_v stand in one parameter.
bool is_stacked(const MultiHeadAttentionOptions& o) { return o.memory_size == 0 || o.memory_size == o.input_size; }

// Rows k E .. (k + 1) E of a parameter [3 E, ...] of three parts.
Variable third(Variable x, std::int64_t k) {
  const std::int64_t E = x.shape()[0] / 3;
  if (x.shape().rank() == 1) {
    return reshape(select_rows(reshape(x, {3, E}), std::span<const std::int64_t>(&k, 1)), {E});
  }
  auto* index = x.tape().arena().allocate<std::int64_t>(E);
  for (std::int64_t i = 0; i < E; ++i) index[i] = k * E + i;
  return select_rows(x, std::span<const std::int64_t>(index, static_cast<std::size_t>(E)));
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(MultiHeadAttentionOptions options) : options_(checked_multi_head(options)) {
  const std::int64_t E = options_.input_size, M = options_.memory_size;
  const auto make = [&](const char* name, const Shape& shape) {
    parameters_.push_back(std::make_unique<Parameter>(name, Tensor(shape)));
  };
  if (is_stacked(options_)) {
    make("in_proj_weight", {3 * E, E});
  } else {
    make("q_proj_weight", {E, E});
    make("k_proj_weight", {E, M});
    make("v_proj_weight", {E, M});
  }
  make("out_proj.weight", {E, E});
  if (!options_.bias) return;
  make("in_proj_bias", {3 * E});
  make("out_proj.bias", {E});
}

std::vector<Parameter*> MultiHeadAttention::parameters() {
  std::vector<Parameter*> list;
  for (const auto& parameter : parameters_) list.push_back(parameter.get());
  return list;
}

void MultiHeadAttention::initialize(std::uint64_t seed) {
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    Tensor& value = parameters_[k]->value;
    value.fill(0);
    const RandomKey key{seed, Purpose::kWeights, k};
    if (value.shape().rank() == 2) initialize_xavier(key, options_.input_size, value.view());
  }
}

LayerDescription MultiHeadAttention::describe() const {
  return {"multi_head_attention",
          {{"input_size", options_.input_size},
           {"heads", options_.heads},
           {"memory_size", options_.memory_size},
           {"causal", options_.causal},
           {"bias", options_.bias}},
          {}};
}

void MultiHeadAttention::forward(detail::Flow& flow) {
  const char* name = "multi-head attention";
  if (!flow.is_sequence) fail(Code::kUsage, "{}: the layer below gives one row per sample, expected a sequence", name);
  MultiHeadInput<float> input;
  input.layout = flow.layout;
  input.x = flow.rows(name);
  input.heads = options_.heads;
  input.causal = options_.causal;
  if (options_.memory_size > 0) input.memory = {flow.memory_for(name), flow.memory_lengths};
  auto parameter = parameters_.begin();
  const auto next = [&] { return flow.tape->parameter(**parameter++); };
  Variable* const weights[] = {&input.weight_q, &input.weight_k, &input.weight_v};
  const Variable stacked = is_stacked(options_) ? next() : Variable();
  for (std::int64_t k = 0; k < 3; ++k) *weights[k] = stacked ? third(stacked, k) : next();
  input.weight_out = next();
  if (options_.bias) {
    const Variable bias = next();
    Variable* const biases[] = {&input.bias_q, &input.bias_k, &input.bias_v};
    for (std::int64_t k = 0; k < 3; ++k) *biases[k] = third(bias, k);
    input.bias_out = next();
  }
  const MultiHeadOutput<float> out = multi_head_attention(input);
  flow.x = out.output;
  flow.last = {};
  if (flow.alignments) flow.alignments->push_back(multi_head_alignments(input, out));
}

}  // namespace carousel
