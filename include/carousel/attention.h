// attention.h: layers that look at all steps of a sequence: of their own input, or of a memory beside it.
//
//   carousel::Sequential encoder{carousel::Embedding{words, 64},
//                                carousel::Recurrent{{.input_size = 64, .hidden_size = 64, .bidirectional = true}}};
//   carousel::Sequential decoder{
//       carousel::Embedding{labels, 32},
//       carousel::AttentionDecoder{{.input_size = 32, .hidden_size = 128, .memory_size = 128, .output_size = 96}},
//       carousel::Linear{96, labels}};
//   auto encoded = encoder(source, source_lengths);  // [S, N, 128]
//   auto logits = decoder({.ids = &target, .lengths = target_lengths,
//                          .memory = encoded, .memory_lengths = source_lengths});
//   carousel::backward(carousel::cross_entropy(logits, next_target));  // trains both
//
// S steps of the memory, E its size. Only valid steps take part: nothing behind the end of a sample has any influence,
// in the input or in the memory, and the weight there is exactly 0.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carousel/layers.h"

namespace carousel {

namespace detail {
struct AttentionCache;  // layers/module.h
}  // namespace detail

// One pass of a network with more than its input: Sequential::operator() and predict() take it. Everything is borrowed
// for the call, numbers of a recorded pass until its backward().
struct AttentionPass {
  const Tensor* values = nullptr;  // [T, N, C], or
  const IdTensor* ids = nullptr;   // [T, N]; exactly one of them
  std::span<const std::int32_t> lengths = {};
  const State* initial = nullptr;  // null: zero
  State* final = nullptr;          // receives the state after the last valid step
  // What attention layers with a memory_size look at, [S, N, E]: the output of another network, recorded and not yet
  // used up by a backward(), into which the gradient goes on; or numbers.
  Variable memory = {};
  const Tensor* memory_values = nullptr;
  std::span<const std::int32_t> memory_lengths = {};
  // Receives the attention weights of every attention layer in order: [T, N, S] of an AttentionDecoder,
  // [N, heads, T, S] of a MultiHeadAttention.
  std::vector<Tensor>* alignments = nullptr;
};

struct AttentionDecoderOptions {
  std::string cell = "lstm";     // see `carousel cells`
  std::int64_t input_size = 0;   // I
  std::int64_t hidden_size = 0;  // H
  std::int64_t memory_size = 0;  // E
  // How well a query h fits a state m of the memory: "dot" h . m (E = H), "general" h . W m, "concat"
  // v . tanh(W_s h + W_h m); with these the cell steps first and its new h looks, y_t = tanh(W_c [c_t ; h_t]) (Luong et
  // al. 2015). "additive" is the sum of "concat", but the h before the step looks, the cell steps over [x_t ; c_t], and
  // y_t = h_t (Bahdanau et al. 2014).
  std::string score = "general";
  // "dot" and "general" divided by sqrt(H) (Vaswani et al. 2017). Adam changes each of the H E weights of "general" by
  // about its rate, so that a few steps may move a score by more than a softmax comes back from.
  bool scaled = false;
  std::int64_t attention_size = 0;  // A, units of the tanh: "concat" and "additive" only
  std::int64_t output_size = 0;     // O, the size of y; with "additive" 0
  bool input_feeding = true;        // y_{t-1} goes into the cell beside x_t; not with "additive"
  // "concat" and "additive": what a state m got in the steps before is in its sum, times a weight (Tu et al. 2016, See
  // et al. 2017). A pass begins with 0.
  bool coverage = false;
};

// A recurrent layer that looks at the memory in every step, c_t being the weighted sum of its states: [T, N, I] ->
// [T, N, O] (H with "additive"). Its states are those of the cell, [1, N, H], then with input feeding y, [1, N, O].
class AttentionDecoder : public Module {
 public:
  explicit AttentionDecoder(
      AttentionDecoderOptions options);  // throws Error{kUsage} naming the option that does not fit
  // weight_ih, weight_hh, bias_ih, bias_hh of the cell; attn_weight [H, E]; attn_weight_s [A, H], attn_weight_h [A, E],
  // attn_v [A]; weight_c [O, E + H]; attn_weight_coverage [A].
  std::vector<Parameter*> parameters() override;
  void initialize(std::uint64_t seed) override;  // the cell's as Recurrent's, the others Xavier uniform
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

  const AttentionDecoderOptions& options() const noexcept { return options_; }
  std::int64_t output_size() const noexcept;  // O or H
  int state_count() const;
  Shape state_shape(int state, std::int64_t samples) const;
  // For passes of one step that all look at this memory, [S, N, E].
  detail::AttentionCache make_cache(const Tensor& memory, std::span<const std::int32_t> lengths);

 private:
  AttentionDecoderOptions options_;
  Recurrent cell_;
  std::vector<Parameter*> cell_parameters_;
  std::vector<std::unique_ptr<Parameter>> attention_;  // in the order above
};

struct MultiHeadAttentionOptions {
  std::int64_t input_size = 0;   // E
  std::int64_t heads = 1;        // divide E
  std::int64_t memory_size = 0;  // M; 0: self-attention, the steps of the input look at each other
  bool causal = false;           // step t looks at the steps 0 .. t alone; self-attention only
  bool bias = true;
};

// Scaled dot-product attention (Vaswani et al. 2017): [T, N, E] -> [T, N, E]. Parameters are those of PyTorch's
// MultiheadAttention: in_proj_weight [3 E, E] (or q_proj_weight [E, E], k_proj_weight, v_proj_weight [E, M] with a
// memory of another size), in_proj_bias [3 E], out_proj.weight [E, E], out_proj.bias [E].
class MultiHeadAttention : public Module {
 public:
  explicit MultiHeadAttention(MultiHeadAttentionOptions options);  // throws Error{kUsage}
  std::vector<Parameter*> parameters() override;
  void initialize(std::uint64_t seed) override;  // Xavier uniform, biases 0
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  const MultiHeadAttentionOptions& options() const noexcept { return options_; }

 private:
  MultiHeadAttentionOptions options_;
  std::vector<std::unique_ptr<Parameter>> parameters_;
};

// One row per sample: its steps, weighed by what they say themselves (Yang et al. 2016): [T, N, C] -> [N, C].
//   a_t = softmax over the valid steps of v . tanh(W x_t + b)      y = sum over t of a_t x_t
// A sample of length 0 gives 0. As an alignment (AttentionPass) its weights are [N, T], 0 behind the end. Needs the
// whole sequence: a network with it does not run step by step.
class AttentionPool : public Module {
 public:
  // C and A, the units of the tanh. Throws Error{kUsage} unless both are at least 1.
  AttentionPool(std::int64_t input_size, std::int64_t attention_size);
  std::vector<Parameter*> parameters() override { return {&weight, &bias, &vector}; }
  void initialize(std::uint64_t seed) override;  // Xavier uniform, bias 0
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  Parameter weight, bias, vector;  // attn_weight_h [A, C], attn_bias [A], attn_v [A]
};

}  // namespace carousel
