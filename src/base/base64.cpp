#include "base/base64.h"

#include <cstddef>
#include <cstdint>

#include "base/fail.h"

namespace carousel {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;  // three bytes, four digits
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (at + k < bytes.size() ? static_cast<unsigned char>(bytes[at + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += at + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

std::string base64_decode(std::string_view text) {
  std::string bytes;
  const std::size_t digits = text.substr(0, text.find('=')).size();
  for (std::size_t at = 0; at < digits; at += 4) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t digit = at + k < digits ? kDigits.find(text[at + k]) : 0;
      if (digit == std::string_view::npos) fail(Code::kData, "base64: character {} is no digit of it", at + k + 1);
      group = group << 6 | static_cast<std::uint32_t>(digit);
    }
    for (std::size_t k = 0; k < 3; ++k) {
      if (at + k + 1 < digits) bytes += static_cast<char>(group >> (16 - 8 * k) & 255U);
    }
  }
  // Length, padding and unused bits have one right form.
  if (base64_encode(bytes) != text) fail(Code::kData, "base64: {} characters do not end as they should", text.size());
  return bytes;
}

}  // namespace carousel
