// token_shape.h: what lower case takes away from a token: how it is written.
#pragma once

#include <cstdint>
#include <string_view>

namespace carousel {

// Id 0 stays free for padding.
enum class TokenShape : std::int32_t {
  kLower = 1,   // letters, none of them upper case
  kUpper,       // letters, all that have a case are upper case
  kTitle,       // the first letter upper case, the others not
  kMixed,       // upper and lower case in another way
  kDigits,      // digits, and marks like , . : between them
  kWithDigits,  // letters and digits
  kMarks,       // neither letters nor digits
  kCaseless,    // letters of a script without case
};
inline constexpr std::int64_t kTokenShapes = 9;  // with that of padding

// REQUIRES: well-formed UTF-8, not empty.
TokenShape token_shape(std::string_view token);

}  // namespace carousel
