// translate_decode.h: what translators write for some sources, and what they think of targets that are given.
//
// Several models take part by the mean of their probabilities; they share the vocabularies. Samples are computed
// together in batches; what comes out does not depend on which ones.
#pragma once

#include <span>
#include <vector>

#include "carousel/tensor.h"
#include "tasks/translate/beam_search.h"
#include "tasks/translate/translate_model.h"

namespace carousel {

inline constexpr std::int64_t kRowsPerStep = 256;  // prefixes that are stepped together

// The best outputs of each source, as beam_search() gives them. The encoder runs once for each source.
std::vector<std::vector<SearchResult>> translate(std::span<const Translator> models, const TranslateInfo& info,
                                                 std::span<const TokenIds> sources, const SearchOptions& options);

// A target as the models see it, read in one pass (teacher forcing).
struct Forced {
  std::vector<float> log_p;  // of each token, <eos> included
  std::int64_t right = 0;    // tokens that were the most probable ones
  Tensor alignment;          // [T, S]: the weight of every source step, <eos> included, at each; if asked for
};
// `targets` end in <eos>; as many as sources.
std::vector<Forced> force(std::span<const Translator> models, std::span<const TokenIds> sources,
                          std::span<const TokenIds> targets, bool alignments);

}  // namespace carousel
