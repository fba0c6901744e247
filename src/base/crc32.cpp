#include "base/crc32.h"

#include <array>

namespace carousel {
namespace {

constexpr std::uint32_t kPolynomial = 0xedb88320U;
constexpr int kSlices = 8;  // bytes taken at a time

// kTables[s][b]: what byte b, followed by s zero bytes, adds to the checksum.
constexpr auto kTables = [] {
  std::array<std::array<std::uint32_t, 256>, kSlices> tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (std::size_t s = 1; s < kSlices; ++s) {
    for (std::size_t b = 0; b < 256; ++b) tables[s][b] = (tables[s - 1][b] >> 8) ^ tables[0][tables[s - 1][b] & 0xff];
  }
  return tables;
}();

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  const auto byte = [&](std::size_t k) { return static_cast<std::uint32_t>(bytes[k]); };
  std::uint32_t crc = ~0U;
  std::size_t at = 0;
  for (; at + kSlices <= bytes.size(); at += kSlices) {
    const std::uint32_t low = crc ^ (byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24);
    crc = kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^ kTables[5][low >> 16 & 0xff] ^ kTables[4][low >> 24] ^
          kTables[3][byte(at + 4)] ^ kTables[2][byte(at + 5)] ^ kTables[1][byte(at + 6)] ^ kTables[0][byte(at + 7)];
  }
  for (; at < bytes.size(); ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ byte(at)) & 0xff];
  return ~crc;
}

}  // namespace carousel
