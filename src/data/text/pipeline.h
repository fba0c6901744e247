// pipeline.h: from a text to the ids that a model takes: check, normalise, segment, look up.
//
// A TextPipeline is settings and vocabulary, and holds the boundary rules of its segmenter: it belongs to one thread at
// a time; make another from the same settings and vocabulary for another thread. Its vocabulary is learnt from the
// training texts only (fit_text).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/segment.h"
#include "data/text/vocabulary.h"

namespace carousel {

struct TextSettings {
  bool nfkc = true;
  bool lowercase = true;
  TextLevel level = TextLevel::kAuto;     // fit_text puts what it chose
  bool add_bos = false, add_eos = false;  // <bos> before, <eos> behind the tokens
  std::int64_t max_tokens = 0;            // longer texts are cut (and counted); 0: no limit
};

// Every step of one text, for the eye.
struct TextTrace {
  std::string raw, normalized;
  std::vector<std::string> tokens;   // <bos> and <eos> included if the settings add them
  std::vector<std::int32_t> ids;     // one per token
  std::vector<std::int32_t> padded;  // ids, then <pad> up to the asked length
  std::vector<std::int32_t> mask;    // 1 for a token, 0 for padding
};

class TextPipeline {
 public:
  TextPipeline(const TextSettings& settings, Vocabulary vocabulary);  // REQUIRES: level is not kAuto

  // Throw Error{kData} that names the byte if the text is not UTF-8.
  std::vector<std::int32_t> encode(std::string_view text);
  TextTrace explain(std::string_view text, std::int64_t length = 0);

  const TextSettings& settings() const noexcept { return settings_; }
  const Vocabulary& vocabulary() const noexcept { return vocabulary_; }
  std::int64_t cut_texts() const noexcept { return cut_texts_; }  // texts longer than max_tokens, by encode() so far

 private:
  TextSettings settings_;
  Vocabulary vocabulary_;
  Segmenter segmenter_;
  std::vector<std::string_view> tokens_;
  std::int64_t cut_texts_ = 0;
};

struct FittedText {
  TextPipeline pipeline;
  std::vector<std::vector<std::int32_t>> ids;  // of each of `rows`, as pipeline.encode() gives them
  std::int64_t tokens = 0;                     // in these texts, before any is cut
  std::int64_t distinct_tokens = 0;            // before the limits
  std::int64_t cut_texts = 0;                  // texts longer than max_tokens
};

// Learns the vocabulary from the texts at `rows`, the training part, and encodes them. Throws as encode().
FittedText fit_text(std::span<const std::string> texts, std::span<const std::int64_t> rows, TextSettings settings,
                    const VocabularyLimits& limits);

}  // namespace carousel
