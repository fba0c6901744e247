// display_width.h: how many columns of a terminal a text takes.
#pragma once

#include <cstddef>
#include <string_view>

namespace carousel {

// Wide characters (Chinese, Japanese, Korean, emoji) take two columns, marks that combine, joiners and what a joiner
// or an emoji modifier adds to the character before it take none (Unicode Standard Annex 11). REQUIRES: no control
// characters; bytes that are not UTF-8 count one each.
std::size_t display_width(std::string_view text) noexcept;

}  // namespace carousel
