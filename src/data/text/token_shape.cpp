#include "data/text/token_shape.h"

#include <unicode/uchar.h>

#include "data/text/utf8.h"

namespace carousel {

TokenShape token_shape(std::string_view token) {
  int upper = 0, lower = 0, caseless = 0, digits = 0;
  bool upper_first = false;
  for (std::size_t at = 0; at < token.size();) {
    const UChar32 character = next_character(token, at);
    if (u_isdigit(character)) ++digits;
    if (!u_isalpha(character)) continue;
    if (u_isupper(character) || u_istitle(character)) {
      upper_first = upper_first || upper + lower + caseless == 0;
      ++upper;
    } else if (u_islower(character)) {
      ++lower;
    } else {
      ++caseless;
    }
  }
  const int letters = upper + lower + caseless;
  if (letters == 0) return digits > 0 ? TokenShape::kDigits : TokenShape::kMarks;
  if (digits > 0) return TokenShape::kWithDigits;
  if (upper + lower == 0) return TokenShape::kCaseless;
  if (upper == 0) return TokenShape::kLower;
  if (upper_first && upper == 1 && letters > 1) return TokenShape::kTitle;
  return lower == 0 ? TokenShape::kUpper : TokenShape::kMixed;
}

}  // namespace carousel
