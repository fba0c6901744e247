// translate_model.h: the network of a translator: an encoder, a bridge and a decoder that looks back at the encoder.
//
//   encoder   embedding, dropout, recurrent (both directions, stacked)          ids [S, N] -> memory m [S, N, E]
//   bridge    s_0 = tanh(W mean over the valid steps of m + b)                  the states that the decoder starts with
//   decoder   embedding, dropout, attention decoder, recurrent layers above it, dropout, linear     ids -> logits [V]
//
// The decoder is declared once: a whole target in one pass (training, scoring) and one step of many hypotheses (beam
// search) are passes of different length through the same layers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/attention.h"
#include "carousel/model.h"
#include "data/text/batching.h"
#include "layers/module.h"
#include "tasks/options.h"
#include "tasks/translate/translate_data.h"

namespace carousel {

// The model options with every "auto" replaced by what fits so many training pairs of this kind; the observer is told.
// Throws Error{kUsage} for options that a translator does not have.
ModelOptions resolve_translate_model(const ModelOptions& options, const TranslateInfo& info, std::int64_t pairs,
                                     Observer& observer);

// `options` is resolved. Throws Error{kUsage} for a cell that a decoder cannot step.
Sequential build_translator(const ModelOptions& options, const TranslateInfo& info);

// The parts of a network that build_translator() made; borrows it.
class Translator {
 public:
  explicit Translator(Sequential& network);  // throws Error{kModel} naming the part that is missing
  // The same with another encoder, which is borrowed.
  Translator with_encoder(Sequential& encoder) const;

  struct Encoded {
    Variable memory;                // [S, N, E]
    std::vector<Variable> initial;  // every state of the decoder in order, [N, width]
  };
  // `layouts` must live until the tape's reset(), here and below; `checkpoint_steps` as in ScanInput.
  Encoded encode(Tape<float>& tape, detail::Layouts& layouts, const PaddedIds& sources, bool training,
                 const RandomKey& dropout_key, std::int64_t checkpoint_steps = 0) const;

  // A whole target in one pass. Borrowed for the call, `inputs` and `source_lengths` until the tape's reset().
  struct Writing {
    const PaddedIds& inputs;  // decoder_inputs() of the targets
    const Encoded& encoded;
    std::span<const std::int32_t> source_lengths;
    std::vector<Tensor>* alignments = nullptr;             // receives [T, N, S]
    std::span<const Attended<float>>* attended = nullptr;  // receives the steps, until the tape's reset()
  };
  // Logits of every next token as packed rows, [sum of the lengths, V].
  Variable decode(Tape<float>& tape, detail::Layouts& layouts, const Writing& writing, bool training,
                  const RandomKey& dropout_key) const;

  AttentionDecoder& attention() const noexcept { return *attention_; }  // of the decoder
  Sequential& encoder() const noexcept { return *encoder_; }
  Sequential& bridge() const noexcept { return *bridge_; }
  Sequential& decoder() const noexcept { return *decoder_; }
  std::int64_t source_size() const noexcept { return source_size_; }  // distinct tokens that it reads
  std::int64_t target_size() const noexcept { return target_size_; }  // and writes, V

 private:
  Sequential *encoder_ = nullptr, *bridge_ = nullptr, *decoder_ = nullptr;
  AttentionDecoder* attention_ = nullptr;
  std::int64_t source_size_ = 0, target_size_ = 0;
};

// Throws Error{kModel} unless it reads and writes as many tokens as the vocabularies of its description have.
void check_vocabularies(const Translator& translator, const TranslateInfo& info);

// What a decoder reads for these targets: <bos>, then all tokens but the last.
PaddedIds decoder_inputs(const PaddedIds& targets);

// The targets in the order of the packed rows of `layout`, which is theirs.
TokenIds packed_targets(const PaddedIds& targets, const SequenceLayout& layout);

}  // namespace carousel
