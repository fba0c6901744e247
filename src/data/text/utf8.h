// utf8.h: is it UTF-8, where does it stop being so, and which character comes next?
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace carousel {

// The character that starts at `at`, which moves behind it; -1, and `at` moves one byte, if none is well formed there
// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF). REQUIRES: at < text.size().
std::int32_t next_character(std::string_view text, std::size_t& at) noexcept;

// Where the first byte stands that belongs to no well-formed character; nothing if all do.
std::optional<std::int64_t> find_invalid_utf8(std::string_view text) noexcept;

// How many bytes at the end are the beginning of a character that more bytes could complete: 0 to 3.
std::int64_t unfinished_utf8(std::string_view text) noexcept;

// How many of the first bytes are ASCII (below 0x80).
std::int64_t ascii_prefix(std::string_view text) noexcept;

}  // namespace carousel
