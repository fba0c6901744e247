// ascii_words.h: word boundaries (Unicode Standard Annex 29) of what is ASCII, without ICU.
#pragma once

#include <string_view>
#include <vector>

namespace carousel {

constexpr bool is_ascii_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Neither white space nor any of the characters that ICU has to judge: those beyond ASCII, and @ and :, whose rules
// changed from one version of ICU to the next.
constexpr bool is_plain(char c) noexcept { return (c & 0x80) == 0 && c != '@' && c != ':' && !is_ascii_space(c); }

// Appends the words and marks of `text`, as views into it. REQUIRES: is_plain() for every character.
void append_ascii_words(std::string_view text, std::vector<std::string_view>& tokens);

}  // namespace carousel
