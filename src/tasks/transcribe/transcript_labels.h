// transcript_labels.h: texts as labels of a network that is trained with CTC, and back.
//
// Class 0 is the blank; the token with id v in the vocabulary is class v - Vocabulary::kSpecials + 1. A token that is
// not in the vocabulary is kUnknownLabel: no output of the network can match it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/pipeline.h"
#include "layers/output/ctc_decoder.h"

namespace carousel {

inline constexpr std::int32_t kUnknownLabel = -1;

class TranscriptLabels {
 public:
  TranscriptLabels(const TextSettings& settings, const std::vector<std::string>& vocabulary);

  std::int64_t classes() const { return pipeline_.vocabulary().size() - Vocabulary::kSpecials + 1; }  // K
  TextLevel level() const { return pipeline_.settings().level; }
  Labelling encode(std::string_view text);
  // Characters one behind another, words with a blank between them. REQUIRES: labels 1 .. K-1.
  std::string text(std::span<const std::int32_t> labels) const;
  const std::string& name(std::int32_t label) const;  // REQUIRES: 1 .. K-1
  // The label of a blank between words, of characters; kUnknownLabel if there is none.
  std::int32_t space() const;

 private:
  TextPipeline pipeline_;
};

// Words where the texts of the training part, given by `rows`, say the same ones over and over (each at least 20 times
// on average), else characters.
TextLevel choose_transcript_level(std::span<const std::string> texts, std::span<const std::int64_t> rows);

}  // namespace carousel
