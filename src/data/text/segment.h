// segment.h: a text cut into tokens.
//
//   word        Unicode word boundaries (UAX 29, as ICU has them); Chinese, Japanese, Thai ... by ICU's dictionaries.
//               Punctuation marks are tokens, white space is none, contractions (don't) stay whole.
//   char        characters as a reader counts them (grapheme clusters), white space included
//   subword     pieces of words that are learnt from a corpus: subword.h, not cut here
//   whitespace  what stands between white space, for texts that are tokenised already
//
// The rules are those of no particular language, so that a machine's settings change nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

enum class TextLevel { kAuto, kWord, kCharacter, kWhitespace, kSubword };

// "word", "char", "subword", "whitespace", and "" for kAuto. Throws Error{kUsage} that lists them.
TextLevel parse_level(std::string_view name);
std::string_view level_name(TextLevel level);

// What kAuto stands for, by the first 1,000 texts at `rows` (the training part): words, unless a word is longer than 15
// characters on average (a script without word boundaries or a dictionary, DNA, ...); then characters.
TextLevel choose_level(std::span<const std::string> texts, std::span<const std::int64_t> rows);

// Whether a token is a word or a number, no mark. REQUIRES: not empty, well-formed UTF-8.
bool is_word_token(std::string_view token);

// Holds the boundary rules, which are slow to make and quick to use; a segmenter belongs to one thread at a time.
class Segmenter {
 public:
  explicit Segmenter(TextLevel level);  // REQUIRES: not kAuto, not kSubword
  ~Segmenter();
  Segmenter(Segmenter&&) noexcept;
  Segmenter& operator=(Segmenter&&) noexcept;

  // Replaces `tokens` by those of the text, as views into it. REQUIRES: well-formed UTF-8.
  void segment(std::string_view text, std::vector<std::string_view>& tokens);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace carousel
