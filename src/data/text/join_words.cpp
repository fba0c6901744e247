#include "data/text/join_words.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "data/text/utf8.h"

namespace carousel {
namespace {

std::int32_t first_character(std::string_view word) {
  std::size_t at = 0;
  return word.empty() ? 0 : next_character(word, at);
}

std::int32_t last_character(std::string_view word) {
  std::size_t start = word.empty() ? 0 : word.size() - 1;
  while (start > 0 && (static_cast<unsigned char>(word[start]) & 0xC0U) == 0x80) --start;
  return first_character(word.substr(start));
}

// Whether the character is of a script, or a mark of one, in which words touch.
bool touches(std::int32_t c) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &status);
  if (U_SUCCESS(status) && uscript_breaksBetweenLetters(script)) return true;
  return (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFF65);  // marks of Chinese and Japanese
}

bool is_one_of(std::int32_t c, std::string_view characters) {
  for (std::size_t at = 0; at < characters.size();) {
    if (next_character(characters, at) == c) return true;
  }
  return false;
}

}  // namespace

std::string join_words(std::span<const std::string_view> words) {
  constexpr std::string_view kClosing = ".,;:!?%)]}'\xE2\x80\x99\xE2\x80\x9D";  // right single and double quote
  constexpr std::string_view kOpening = "([{$#\xE2\x80\x98\xE2\x80\x9C";        // left single and double quote
  std::string text;
  bool quoted = false, blank = false;  // blank: one may come before the next word
  std::int32_t before = 0;
  for (const std::string_view word : words) {
    if (word.empty()) continue;
    const bool quote = word == "\"", joint = word == "-" || word == "/";
    const std::int32_t first = first_character(word);
    const bool apart =
        !joint && !(quote && quoted) && !is_one_of(first, kClosing) && !(touches(first) && touches(before));
    if (blank && apart) text += ' ';
    text += word;
    before = last_character(word);
    blank = !joint && !(quote && !quoted) && !is_one_of(before, kOpening);
    quoted = quoted != quote;
  }
  return text;
}

}  // namespace carousel
