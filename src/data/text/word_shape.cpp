#include "data/text/word_shape.h"

#include <unicode/uchar.h>

#include <array>

#include "data/text/utf8.h"

namespace carousel {
namespace {

constexpr std::array<std::string_view, kWordShapes> kShapeNames = {
    "lower", "initial", "upper", "mixed", "uncased", "digits", "with_digits", "punctuation", "symbol"};

struct CharacterCounts {
  int letters = 0, capitals = 0, small = 0, digits = 0, marks = 0, others = 0;
  bool begins_with_capital = false;  // the first letter
};

CharacterCounts count_characters(std::string_view word) noexcept {
  CharacterCounts counts;
  for (std::size_t at = 0; at < word.size();) {
    const std::int32_t c = next_character(word, at);
    const std::uint32_t category = U_MASK(u_charType(c));
    if ((category & U_GC_L_MASK) != 0) {
      const bool capital = (category & (U_GC_LU_MASK | U_GC_LT_MASK)) != 0;
      if (counts.letters == 0) counts.begins_with_capital = capital;
      ++counts.letters;
      counts.capitals += capital ? 1 : 0;
      counts.small += (category & U_GC_LL_MASK) != 0 ? 1 : 0;
    } else if ((category & U_GC_ND_MASK) != 0) {
      ++counts.digits;
    } else if ((category & U_GC_P_MASK) != 0) {
      ++counts.marks;
    } else if ((category & U_GC_M_MASK) == 0) {  // a mark that combines belongs to what it stands on
      ++counts.others;
    }
  }
  return counts;
}

}  // namespace

WordShape word_shape(std::string_view word) noexcept {
  const CharacterCounts counts = count_characters(word);
  if (counts.digits > 0) return counts.letters > 0 ? WordShape::kWithDigits : WordShape::kDigits;
  if (counts.letters == 0) return counts.marks > 0 && counts.others == 0 ? WordShape::kPunctuation : WordShape::kSymbol;
  if (counts.capitals + counts.small == 0) return WordShape::kUncased;
  if (counts.capitals == 0) return WordShape::kLower;
  if (counts.capitals == 1 && counts.begins_with_capital) return WordShape::kInitial;
  return counts.small == 0 ? WordShape::kUpper : WordShape::kMixed;
}

std::string_view word_shape_name(WordShape shape) noexcept { return kShapeNames[static_cast<std::size_t>(shape)]; }

}  // namespace carousel
