// target_text.h: texts that a model is to write: cut into tokens, and put together again without loss.
//
// A token that follows the one before it without white space in between begins with the mark U+FFED, so that "Yes,
// don't!" is Yes / ,(marked) / don't / !(marked) and comes back as it was (any run of white space as one space). With
// characters the spaces are tokens themselves. Case is kept, nothing is normalised.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/segment.h"
#include "data/text/vocabulary.h"

namespace carousel {

// The tokens of a text. REQUIRES: well-formed UTF-8.
std::vector<std::string> cut_target(Segmenter& segmenter, TextLevel level, std::string_view text);

// The text of some tokens.
std::string join_target(TextLevel level, std::span<const std::string> tokens);

// Vocabulary and rules together; a TargetText belongs to one thread at a time.
class TargetText {
 public:
  TargetText(TextLevel level, Vocabulary vocabulary);  // REQUIRES: level is not kAuto

  std::vector<std::string> cut(std::string_view text) { return cut_target(segmenter_, level_, text); }
  std::vector<std::int32_t> encode(std::string_view text);  // <eos> behind the tokens
  std::string join(std::span<const std::string> tokens) const { return join_target(level_, tokens); }

  TextLevel level() const noexcept { return level_; }
  const Vocabulary& vocabulary() const noexcept { return vocabulary_; }

 private:
  TextLevel level_;
  Vocabulary vocabulary_;
  Segmenter segmenter_;
};

}  // namespace carousel
