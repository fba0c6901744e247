#include "data/text/utf8.h"

#include <cstring>

namespace carousel {

std::int32_t next_character(std::string_view text, std::size_t& at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::size_t start = at++;
  const std::uint32_t lead = byte(start);
  if (lead < 0x80) return static_cast<std::int32_t>(lead);
  if (lead < 0xC2 || lead > 0xF4) return -1;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() - start < length) return -1;
  std::uint32_t character = lead & (0x7FU >> length);
  for (std::size_t i = start + 1; i < start + length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return -1;
    character = (character << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
  const bool surrogate = character >= 0xD800 && character < 0xE000;
  if (overlong || surrogate || character > 0x10FFFF) return -1;
  at = start + length;
  return static_cast<std::int32_t>(character);
}

std::optional<std::int64_t> find_invalid_utf8(std::string_view text) noexcept {
  auto at = static_cast<std::size_t>(ascii_prefix(text));
  while (at < text.size()) {
    const std::size_t start = at;
    if (next_character(text, at) < 0) return static_cast<std::int64_t>(start);
  }
  return std::nullopt;
}

std::int64_t unfinished_utf8(std::string_view text) noexcept {
  for (std::size_t count = 1; count <= 3 && count <= text.size(); ++count) {
    const auto byte = static_cast<unsigned char>(text[text.size() - count]);
    if ((byte & 0xC0U) == 0x80) continue;
    const std::size_t length = byte < 0xC2 || byte > 0xF4 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return length > count ? static_cast<std::int64_t>(count) : 0;
  }
  return 0;
}

std::int64_t ascii_prefix(std::string_view text) noexcept {
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + sizeof(word) <= text.size(); i += sizeof(word)) {
    std::memcpy(&word, text.data() + i, sizeof(word));
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return static_cast<std::int64_t>(i);
}

}  // namespace carousel
