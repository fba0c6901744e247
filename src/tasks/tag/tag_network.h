// tag_network.h: runs the network of a tagger, which is not a chain of layers.
//
//   words       ids -> numbers per token (tasks/token_input.h)
//   shapes      1 + WordShape -> numbers per token
//   pairs       ids -> numbers per token and the next one
//   characters  a spelling -> numbers per distinct token
//   body        recurrent layers over the tokens: the above side by side, those of word_window neighbours together
//   slots       scores of the tags at each token, and the CRF over them
//   intent      scores of the labels of the whole sentence
//
// "pairs", "characters", the CRF and "intent" may be missing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/layers.h"
#include "data/text/batching.h"
#include "layers/module.h"
#include "layers/output/crf.h"
#include "tasks/tag/tag_data.h"

namespace carousel {

// Some sentences, padded; owns all but `unseen`, which is that of their data.
struct TagBatch {
  PaddedIds words, shapes, pairs;   // [T, N]
  PaddedIds spellings;              // of the distinct tokens, [characters, forms]; empty if the model reads none
  std::vector<std::int64_t> forms;  // [T N], of each token its column in `spellings`
  const WordPieces* unseen = nullptr;

  void assign(const TagData& data, std::span<const std::int64_t> samples);
};

struct TagPass {
  std::int64_t word_window = 1;
  bool training = false;
  RandomKey dropout_key = {};
  std::int64_t bptt = 0, checkpoint_steps = 0;  // as in PassInput
};

struct TagScores {
  Variable tags = {};                      // packed rows, [rows, tags]
  Variable intents = {};                   // [N, intents]; empty: the model has none
  const SequenceLayout* layout = nullptr;  // of the rows; valid until the tape's reset()
};

// One pass on a tape of the caller's. Throws Error{kModel} if the network has not the parts of a tagger.
TagScores run_tagger(Sequential& network, Tape<float>& tape, detail::Layouts& layouts, const TagBatch& batch,
                     const TagPass& pass);

// What goes into the body, as numbers: [T, N, C], zeros behind the end of a sentence.
Tensor token_inputs(Sequential& network, const TagData& data, std::span<const std::int64_t> samples,
                    std::int64_t word_window);

// The layers of "body" and "slots" as one chain that takes such numbers: a copy, with their names and weights. A Stream
// runs it if it reads forwards only and has no CRF.
Sequential tagger_chain(const Sequential& network);

// The part of the network of this name; null if there is none.
Sequential* tagger_part(const Sequential& network, std::string_view name);
Sequential& required_tagger_part(const Sequential& network, std::string_view name);  // throws Error{kModel} instead
// Null: each tag is chosen by its own score.
Crf* tagger_crf(const Sequential& network);

}  // namespace carousel
