// target_text.h: texts that a model is to write: cut into tokens, and put together again without loss.
//
// A token that follows the one before it without white space in between begins with the mark U+FFED, so that "Yes,
// don't!" is Yes / ,(marked) / don't / !(marked) and comes back as it was (any run of white space as one space). With
// characters the spaces are tokens themselves, and subwords keep every blank (subword.h). Case is kept, nothing is
// normalised.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/pipeline.h"

namespace carousel {

// The tokens of a text, and the text of some tokens, at any level but kSubword. REQUIRES: well-formed UTF-8.
std::vector<std::string> cut_target(Segmenter& segmenter, TextLevel level, std::string_view text);
std::string join_target(TextLevel level, std::span<const std::string> tokens);

// Vocabulary and rules together, at every level; a TargetText belongs to one thread at a time.
class TargetText {
 public:
  // Level and subwords are those of `settings`. REQUIRES: not kAuto. Throws Error{kModel} as TextPipeline.
  TargetText(const TextSettings& settings, Vocabulary vocabulary);

  std::vector<std::string> cut(std::string_view text);
  std::vector<std::int32_t> encode(std::string_view text);  // <eos> behind the tokens
  std::string join(std::span<const std::string> tokens) const;
  // One token for the eye: without its mark; a subword with the sign of its blank.
  std::string shown(const std::string& token) const;

  const Vocabulary& vocabulary() const noexcept { return vocabulary_; }

 private:
  TextLevel level_;
  Vocabulary vocabulary_;
  std::optional<Segmenter> segmenter_;  // every level but kSubword
  std::unique_ptr<Subwords> subwords_;  // kSubword
};

}  // namespace carousel
