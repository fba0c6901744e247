// word_shape.h: the class of a word by its characters: what a tagger is told beside the word itself, since lower-casing
// takes it away (Collobert et al. 2011). By Unicode's properties, so in every script.
#pragma once

#include <cstdint>
#include <string_view>

namespace carousel {

enum class WordShape : std::uint8_t {
  kLower,        // film, d'accord: letters with case, none of them a capital
  kInitial,      // Film, I, 'Tis: the first letter alone is a capital
  kUpper,        // NASA, U.S.: two capitals or more and no small letter
  kMixed,        // iPhone, McDonald
  kUncased,      // letters of a script without case: Chinese, Arabic, Hindi ...
  kDigits,       // 1997, 3.14, 10:30: digits, and marks, but no letter
  kWithDigits,   // B2B, 3rd: digits and letters
  kPunctuation,  // , ... --
  kSymbol        // everything else: $, an emoji, white space, the empty word
};

inline constexpr int kWordShapes = 9;

// REQUIRES: well-formed UTF-8.
WordShape word_shape(std::string_view word) noexcept;

// "lower", "initial", "upper", "mixed", "uncased", "digits", "with_digits", "punctuation", "symbol".
std::string_view word_shape_name(WordShape shape) noexcept;

}  // namespace carousel
