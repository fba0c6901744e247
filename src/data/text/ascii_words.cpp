#include "data/text/ascii_words.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace carousel {
namespace {

// Of Unicode's Word_Break classes: ALetter, Numeric, ExtendNumLet, MidNumLet with Single_Quote, MidNum.
enum class WordClass : std::uint8_t { kOther, kLetter, kDigit, kUnderscore, kInside, kInNumber };

constexpr std::array<WordClass, 128> kWordClasses = [] {
  std::array<WordClass, 128> classes{};
  for (std::size_t c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = WordClass::kLetter;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = WordClass::kDigit;
  classes['_'] = WordClass::kUnderscore;
  classes['.'] = classes['\''] = WordClass::kInside;
  classes[','] = classes[';'] = WordClass::kInNumber;
  return classes;
}();

constexpr bool is_word(WordClass c) {
  return c == WordClass::kLetter || c == WordClass::kDigit || c == WordClass::kUnderscore;
}

// Rules 6, 7, 11 and 12: a mark between two letters or two digits parts them not.
constexpr bool joins(WordClass before, WordClass mark, WordClass after) {
  if (before != after) return false;
  return (mark == WordClass::kInside && (before == WordClass::kLetter || before == WordClass::kDigit)) ||
         (mark == WordClass::kInNumber && before == WordClass::kDigit);
}

}  // namespace

void append_ascii_words(std::string_view text, std::vector<std::string_view>& tokens) {
  const auto class_at = [&](std::size_t i) {
    return i < text.size() ? kWordClasses[static_cast<unsigned char>(text[i])] : WordClass::kOther;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at++;
    while (is_word(class_at(at - 1))) {  // goes on behind a word character only
      if (is_word(class_at(at))) {
        ++at;
      } else if (joins(class_at(at - 1), class_at(at), class_at(at + 1))) {
        at += 2;
      } else {
        break;
      }
    }
    tokens.push_back(text.substr(start, at - start));
  }
}

}  // namespace carousel
