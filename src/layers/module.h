// module.h: what runs from layer to layer while a network computes.
#pragma once

#include <functional>
#include <list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autograd/tape.h"
#include "base/random.h"
#include "carousel/layers.h"
#include "layers/sequence_layout.h"

namespace carousel {
struct WordPieces;  // layers/tokens/token_inputs.h
template <class T>
struct Attended;  // layers/attention/attention_memory.h
}  // namespace carousel

namespace carousel::detail {

// A memory as the steps of an AttentionDecoder need it, made once (AttentionDecoder::make_cache).
struct AttentionCache {
  Tensor states, keys;                // valid steps only, one sample after another; keys empty: the states
  std::vector<std::int64_t> lengths;  // how many of them a sample has
  Tensor coverage;  // of decoders with coverage: the weights of all steps so far, [sum of the lengths]
};

// One forward pass. A value is either token ids (before an Embedding), the packed rows of a sequence [rows, C], or one
// row per sample [samples, C] once the time axis is gone.
struct Flow {
  Tape<float>* tape = nullptr;
  const SequenceLayout* layout = nullptr;
  bool is_sequence = true;
  bool training = false;
  std::int64_t bptt = 0;              // gradients of the states are cut every so many steps; 0: never
  std::int64_t checkpoint_steps = 0;  // as in ScanInput
  RandomKey dropout_key;              // step: which pass; each mask takes its own number with next_dropout_key()

  std::span<const std::int32_t> ids;   // packed, [rows]; used while `x` is empty
  const WordPieces* unseen = nullptr;  // of the words beyond the vocabulary, as in PassInput
  Variable x;
  std::span<const std::int32_t> row_index;  // not empty: packed row r is x[row_index[r]] (a folded embedding)
  Variable last;                            // [samples, D P]: last state h of the recurrent layer below
  Variable table;                           // of the Embedding that the pass began with, for a TiedLinear

  const State* initial = nullptr;
  State* final = nullptr;
  std::size_t states_used = 0;  // values of initial and final that lower layers took
  // The same as variables, of a flow through one recurrent layer: entry * states + state, [samples, width] each. Or, of
  // layers with one entry each, every state of every layer in order.
  std::span<const Variable> initial_variables;
  std::vector<Variable>* final_variables = nullptr;

  Variable memory;  // [S, N, E], what attention layers look at; empty: none
  std::span<const std::int32_t> memory_lengths;
  bool memory_used = false;
  std::vector<Tensor>* alignments = nullptr;             // as in AttentionPass
  std::span<const Attended<float>>* attended = nullptr;  // as in PassInput
  AttentionCache* cache = nullptr;                       // as in PassInput

  // x as packed rows [rows, C], written out if it was folded. Throws Error{kUsage} if the layer got token ids.
  Variable rows(const char* layer);
  // The memory, for a layer that needs one. Throws Error{kUsage} if there is none.
  Variable memory_for(const char* layer);
  bool has_initial() const noexcept { return initial || !initial_variables.empty(); }
  // The slice [samples, width] of an initial state of shape [entries, samples, width]. Throws Error{kUsage} if the
  // state has another shape or there are fewer. REQUIRES: has_initial().
  Variable initial_state(std::size_t state, std::int64_t entry, const Shape& shape) const;
  RandomKey next_dropout_key() noexcept;

 private:
  std::uint64_t dropout_masks_ = 0;
};

// What goes into a pass: values [T, N, C] or ids [T, N], borrowed until the tape's reset(); lengths [N] or empty (all
// T).
struct PassInput {
  const Tensor* values = nullptr;
  const IdTensor* ids = nullptr;
  std::span<const std::int32_t> lengths;
  const State* initial = nullptr;                    // null: zero
  State* final = nullptr;                            // receives the state after the last valid step; null: not wanted
  std::span<const Variable> initial_variables = {};  // instead of `initial`, as in Flow: the gradient goes on into them
  std::int64_t bptt = 0;              // truncated back-propagation (ScanInput); 0: through the whole sequence
  std::int64_t checkpoint_steps = 0;  // activation checkpointing (ScanInput); 0: none
  Variable memory = {};               // as in AttentionPass, like all that follow
  const Tensor* memory_values = nullptr;
  std::span<const std::int32_t> memory_lengths = {};
  std::vector<Tensor>* alignments = nullptr;
  std::span<const Attended<float>>* attended = nullptr;  // receives the steps of an AttentionDecoder, until reset()
  AttentionCache* cache = nullptr;     // instead of the memory; the pass is one step and updates the coverage
  const WordPieces* unseen = nullptr;  // words whose ids lie beyond a HashedEmbedding's vocabulary, in order; borrowed
  bool packed = false;                 // sequence output as the packed rows of the last layer's layout, [rows, O]
};

// One pass of the network on a tape of the caller's. `layout` is overwritten and must live until the tape's reset();
// `training` turns dropout on, with masks from dropout_key. Pooled output is [N, O], sequence output [T, N, O], zeros
// behind the end of a sample. Throws Error{kUsage} naming what does not fit.
Variable run_pass(Module& network, Tape<float>& tape, SequenceLayout& layout, const PassInput& input, bool training,
                  const RandomKey& dropout_key);

// The layouts of passes that wait for one backward pass: each needs its own.
class Layouts {
 public:
  // For one more pass recorded on the tape, valid until the tape's reset().
  SequenceLayout& next(const Tape<float>& tape);

 private:
  std::list<SequenceLayout> layouts_;  // a list: they do not move
  std::size_t used_ = 0;
  const Tape<float>* tape_ = nullptr;  // that the ones in use are for, and its generation
  std::uint64_t generation_ = 0;
};

// Runs networks on the same input, one after another, and hands the rows that each gives to `take` (which network,
// rows, whether they are a sequence's). What the next layer sees is set, but for flow.x. `layer` is named in errors.
void run_branches(Flow& flow, std::span<Sequential> branches, const char* layer,
                  const std::function<void(std::size_t, Variable, bool)>& take);

// The networks that a Sum or a Mixture runs on the same input, the gate of a Mixture first; null for any other layer.
std::vector<Sequential>* branches_of(Module& module);

// The networks inside a layer, with what their layers' names begin with behind the layer's own and a dot: the branches
// of a Sum or a Mixture ("0.", "1.") and a Sequential that is a layer itself ("").
std::vector<std::pair<std::string, Sequential*>> inner_networks(Module& module);

// The tape and workspace that a Sequential reuses from pass to pass.
struct Session {
  Tape<float> training, inference;
  SequenceLayout inference_layout;
  Layouts layouts;
  std::uint64_t seed = 1, passes = 0;
};

}  // namespace carousel::detail
