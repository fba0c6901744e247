// tag_text.h: raw text cut into tokens that know where they stand in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/text/pipeline.h"
#include "data/text/segment.h"
#include "tasks/tag/tag_model.h"

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

// How many code points the first bytes of a text are, asked for rising numbers of bytes.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text) : text_(text) {}
  std::int64_t before(std::size_t byte);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t count_ = 0;
};

// The text that these tokens make: blanks between them, none between characters.
PlacedText joined_text(const std::vector<std::string>& tokens, TextLevel level);

// Every step of such a text for the eye, its tokens with these ids. REQUIRES: one a token.
TextTrace trace_of(const PlacedText& text, const std::vector<std::int32_t>& ids);

// The same of raw texts: cut as the tagger does, the tokens as its vocabulary has them; ids as those of
// encode_sentences(). Throws Error{kData} for a text that is not UTF-8 or too long.
std::vector<TextTrace> explain_texts(const TagInfo& info, const std::vector<std::string>& texts);

}  // namespace carousel
