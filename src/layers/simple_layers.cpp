// simple_layers.cpp: the layers that are one or two operations: embedding, linear, pool, flatten, dropout, layer norm,
// activation.
#include <algorithm>
#include <cmath>

#include "autograd/ops/affine_columns.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/gelu.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/tanh.h"
#include "base/fail.h"
#include "layers/module.h"
#include "layers/pool_ops.h"
#include "layers/tokens/token_inputs.h"

namespace carousel {
namespace detail {

Variable Flow::rows(const char* layer) {
  if (!x) fail(Code::kUsage, "{}: got token ids; put an Embedding before it", layer);
  if (!row_index.empty()) {
    const std::int64_t count = std::ssize(row_index);
    auto* index = tape->arena().allocate<std::int64_t>(count);
    std::copy(row_index.begin(), row_index.end(), index);
    x = select_rows(x, std::span<const std::int64_t>(index, row_index.size()));
    row_index = {};
  }
  return x;
}

Variable Flow::memory_for(const char* layer) {
  if (!memory)
    fail(Code::kUsage, "{}: looks at a memory, but none was given; hand it over with an AttentionPass", layer);
  memory_used = true;
  return memory;
}

Variable Flow::initial_state(std::size_t state, std::int64_t entry, const Shape& shape) const {
  const auto check = [&](const Shape& got, const Shape& expected) {
    if (got == expected) return;
    fail(Code::kUsage, "initial state {} has shape {}, expected {}", state, got.to_string(), expected.to_string());
  };
  if (!initial_variables.empty()) {
    const std::int64_t states = std::ssize(initial_variables) / shape[0];
    const Variable& value = initial_variables[static_cast<std::size_t>(entry * states) + state];
    check(value.shape(), {shape[1], shape[2]});
    return value;
  }
  if (state >= initial->values.size()) {
    fail(Code::kUsage, "the initial state has {} tensors, the network needs more", initial->values.size());
  }
  const Tensor& value = initial->values[state];
  check(value.shape(), shape);
  return tape->constant({value.data() + entry * shape[1] * shape[2], {shape[1], shape[2]}});
}

RandomKey Flow::next_dropout_key() noexcept {
  RandomKey key = dropout_key;
  key.step = (dropout_key.step << 16) + (dropout_masks_++ << 8);
  return key;
}

}  // namespace detail

Embedding::Embedding(std::int64_t vocabulary_size, std::int64_t embedding_size)
    : weight("weight", Tensor({vocabulary_size, embedding_size})) {
  if (vocabulary_size < 1 || embedding_size < 1) {
    fail(Code::kUsage, "embedding: vocabulary_size {} and embedding_size {} must be at least 1", vocabulary_size,
         embedding_size);
  }
}

void Embedding::initialize(std::uint64_t seed) {
  fill_normal({seed, Purpose::kWeights, 0}, 0.0f, 0.1f, weight.value.span());
  std::fill_n(weight.value.data(), weight.value.shape()[1], 0.0f);
}

LayerDescription Embedding::describe() const {
  return {"embedding", {{"vocabulary_size", weight.value.shape()[0]}, {"embedding_size", weight.value.shape()[1]}}, {}};
}

void Embedding::forward(detail::Flow& flow) {
  const auto distinct = detail::fold_tokens(flow, weight.value.shape()[0], "embedding");
  flow.table = flow.tape->parameter(weight);
  flow.x = embedding(flow.table, distinct);
}

Linear::Linear(std::int64_t input_size, std::int64_t output_size, bool bias_present)
    : weight("weight", Tensor({output_size, input_size})),
      bias("bias", Tensor({bias_present ? output_size : 0})),
      has_bias_(bias_present) {
  if (input_size < 1 || output_size < 1) {
    fail(Code::kUsage, "linear: input_size {} and output_size {} must be at least 1", input_size, output_size);
  }
}

std::vector<Parameter*> Linear::parameters() {
  std::vector<Parameter*> list{&weight};
  if (has_bias_) list.push_back(&bias);
  return list;
}

void Linear::initialize(std::uint64_t seed) {
  const float bound = 1 / std::sqrt(static_cast<float>(weight.value.shape()[1]));
  fill_uniform({seed, Purpose::kWeights, 0}, -bound, bound, weight.value.span());
  fill_uniform({seed, Purpose::kWeights, 1}, -bound, bound, bias.value.span());
}

LayerDescription Linear::describe() const {
  return {"linear",
          {{"input_size", weight.value.shape()[1]}, {"output_size", weight.value.shape()[0]}, {"bias", has_bias_}},
          {}};
}

void Linear::forward(detail::Flow& flow) {
  flow.x =
      linear(flow.rows("linear"), flow.tape->parameter(weight), has_bias_ ? flow.tape->parameter(bias) : Variable());
}

Pool::Pool(std::string kind) : kind_(std::move(kind)) {
  if (kind_ != "last" && kind_ != "mean" && kind_ != "max") {
    fail(Code::kUsage, "pool: unknown kind '{}', expected last, mean or max", kind_);
  }
}

LayerDescription Pool::describe() const { return {"pool", {{"kind", kind_}}, {}}; }

void Pool::forward(detail::Flow& flow) {
  if (!flow.is_sequence) fail(Code::kUsage, "pool: the layer below already gives one row per sample");
  if (kind_ == "last") {
    if (!flow.last) {
      fail(Code::kUsage,
           "pool 'last' needs a recurrent layer below it, without a connection if its directions are merged");
    }
    flow.x = flow.last;
  } else {
    const Variable rows = flow.rows("pool");
    flow.x = kind_ == "mean" ? pool_mean(rows, *flow.layout) : pool_max(rows, *flow.layout);
  }
  flow.is_sequence = false;
}

Flatten::Flatten(std::int64_t time_steps) : time_steps_(time_steps) {
  if (time_steps < 1) fail(Code::kUsage, "flatten: time_steps is {}, expected at least 1", time_steps);
}

LayerDescription Flatten::describe() const { return {"flatten", {{"time_steps", time_steps_}}, {}}; }

void Flatten::forward(detail::Flow& flow) {
  const Variable rows = flow.rows("flatten");
  const std::int64_t T = flow.layout->time_steps(), N = flow.layout->samples(), C = rows.shape().back();
  if (!flow.is_sequence || !flow.layout->uniform() || T != time_steps_) {
    fail(Code::kUsage, "flatten: expected sequences of {} time steps each, got up to {}", time_steps_, T);
  }
  // Row (n, t) of the result is row (t, n) of the packed form; T of them side by side make one row of the output.
  auto* index = flow.tape->arena().allocate<std::int64_t>(T * N);
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t t = 0; t < T; ++t) index[n * T + t] = t * N + n;
  }
  const Variable sorted = select_rows(rows, std::span<const std::int64_t>(index, static_cast<std::size_t>(T * N)));
  flow.x = reshape(sorted, {N, T * C});
  flow.is_sequence = false;
}

Scale::Scale(Tensor scale_factor, Tensor scale_offset)
    : factor("factor", std::move(scale_factor)), offset("offset", std::move(scale_offset)) {
  if (!(factor.value.shape() == offset.value.shape()) || factor.value.shape().rank() != 1) {
    fail(Code::kUsage, "scale: factor {} and offset {} must be vectors of the same size",
         factor.value.shape().to_string(), offset.value.shape().to_string());
  }
}

LayerDescription Scale::describe() const { return {"scale", {{"size", factor.value.shape()[0]}}, {}}; }

void Scale::forward(detail::Flow& flow) {
  const Tensor &f = factor.value, &o = offset.value;
  flow.x = affine_columns<float>(flow.rows("scale"), f.span(), o.span());
}

Dropout::Dropout(double probability, bool per_sequence) : probability_(probability), per_sequence_(per_sequence) {
  if (!(probability >= 0 && probability < 1)) {
    fail(Code::kUsage, "dropout: probability is {}, expected 0 <= p < 1", probability);
  }
}

LayerDescription Dropout::describe() const {
  return {"dropout", {{"probability", probability_}, {"per_sequence", per_sequence_}}, {}};
}

void Dropout::forward(detail::Flow& flow) {
  if (!flow.training || probability_ == 0) return;
  const Variable rows = flow.rows("dropout");
  const RandomKey key = flow.next_dropout_key();
  flow.x = per_sequence_ && flow.is_sequence
               ? dropout_per_sequence(rows, probability_, key, flow.layout->row_samples(), flow.layout->samples())
               : dropout(rows, probability_, key);
}

LayerNorm::LayerNorm(std::int64_t size) : weight("weight", Tensor({size})), bias("bias", Tensor({size})) {
  if (size < 1) fail(Code::kUsage, "layer_norm: size is {}, expected at least 1", size);
}

void LayerNorm::initialize(std::uint64_t) {
  weight.value.fill(1);
  bias.value.fill(0);
}

LayerDescription LayerNorm::describe() const { return {"layer_norm", {{"size", weight.value.shape()[0]}}, {}}; }

void LayerNorm::forward(detail::Flow& flow) {
  flow.x = layer_norm(flow.rows("layer_norm"), flow.tape->parameter(weight), flow.tape->parameter(bias));
}

Activation::Activation(std::string kind) : kind_(std::move(kind)) {
  if (kind_ != "tanh" && kind_ != "relu" && kind_ != "sigmoid" && kind_ != "gelu") {
    fail(Code::kUsage, "activation: unknown kind '{}', expected tanh, relu, sigmoid or gelu", kind_);
  }
}

LayerDescription Activation::describe() const { return {"activation", {{"kind", kind_}}, {}}; }

void Activation::forward(detail::Flow& flow) {
  const Variable rows = flow.rows("activation");
  flow.x = kind_ == "tanh" ? tanh(rows) : kind_ == "relu" ? relu(rows) : kind_ == "gelu" ? gelu(rows) : sigmoid(rows);
}

}  // namespace carousel
