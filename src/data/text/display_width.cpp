#include "data/text/display_width.h"

#include <unicode/uchar.h>

#include "data/text/utf8.h"

namespace carousel {

std::size_t display_width(std::string_view text) noexcept {
  constexpr std::int32_t kJoiner = 0x200D;
  std::size_t width = 0;
  std::int32_t before = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::int32_t c = next_character(text, at);
    const std::int32_t category = u_charType(c);
    const int east_asian = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    const bool none = category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR ||
                      before == kJoiner || u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER) != 0;
    if (!none) width += east_asian == U_EA_WIDE || east_asian == U_EA_FULLWIDTH ? 2 : 1;
    before = c;
  }
  return width;
}

}  // namespace carousel
