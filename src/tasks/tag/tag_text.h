// tag_text.h: raw text cut into tokens that know where they stand in it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/text/segment.h"

namespace carousel {

struct PlacedText {
  std::string text;
  std::vector<std::pair<std::size_t, std::size_t>> tokens = {};  // begin and end in the text, in bytes

  std::vector<std::string> words() const;  // the tokens themselves
};

// Cuts text as a tagger's level says; white space is no token, not even of characters. Belongs to one thread at a time.
class TextCutter {
 public:
  explicit TextCutter(TextLevel level);  // REQUIRES: not kAuto
  PlacedText cut(std::string text);      // REQUIRES: well-formed UTF-8

 private:
  Segmenter words_;
  std::optional<Segmenter> characters_;  // what cuts the words again
  std::vector<std::string_view> cut_, inner_;
};

// The text that these tokens make: blanks between them, none between characters.
PlacedText joined_text(const std::vector<std::string>& tokens, TextLevel level);

}  // namespace carousel
