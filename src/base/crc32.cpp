#include "base/crc32.h"

#include <array>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

std::uint32_t take(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
  const auto byte = [&](std::size_t k) { return static_cast<std::uint32_t>(bytes[k]); };
  std::size_t at = 0;
  for (; at + kSlices <= bytes.size(); at += kSlices) {
    const std::uint32_t low = crc ^ (byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24);
    crc = kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^ kTables[5][low >> 16 & 0xff] ^ kTables[4][low >> 24] ^
          kTables[3][byte(at + 4)] ^ kTables[2][byte(at + 5)] ^ kTables[1][byte(at + 6)] ^ kTables[0][byte(at + 7)];
  }
  for (; at < bytes.size(); ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ byte(at)) & 0xff];
  return crc;
}

#if defined(__x86_64__)
// Bytes are polynomials modulo the one above, the first bit standing for the highest power. 64 bytes with 64 n after
// them are worth what they are times x^(512 n): so they are multiplied with x^512 and added to the next 64, and so on.
// Source: Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction, 2009.
constexpr std::size_t kFold = 64;

// x^n modulo the polynomial, as a factor for half a register: the instruction's product is one power too low.
constexpr long long factor(int n) {
  std::uint32_t power = 1U << 31;
  for (int k = 0; k < n - 1; ++k) power = (power >> 1) ^ ((power & 1) != 0 ? kPolynomial : 0);
  return static_cast<long long>(std::uint64_t{power} << 32);
}

// The remainder of the whole pieces of kFold bytes. REQUIRES: there is one.
__attribute__((target("pclmul"))) std::uint32_t take_pieces(std::uint32_t crc, std::span<const std::byte> bytes) {
  const auto load = [&](std::size_t at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(&bytes[at])); };
  const __m128i factors = _mm_set_epi64x(factor(8 * kFold), factor(8 * kFold + 64));  // the low half comes first
  __m128i sum[4] = {_mm_xor_si128(load(0), _mm_cvtsi32_si128(static_cast<int>(crc))), load(16), load(32), load(48)};
  for (std::size_t at = kFold; at + kFold <= bytes.size(); at += kFold) {
    for (std::size_t k = 0; k < 4; ++k) {
      const __m128i low = _mm_clmulepi64_si128(sum[k], factors, 0x00);
      const __m128i high = _mm_clmulepi64_si128(sum[k], factors, 0x11);
      sum[k] = _mm_xor_si128(_mm_xor_si128(low, high), load(at + 16 * k));
    }
  }
  return take(0, std::as_bytes(std::span(sum)));
}
#endif

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before) noexcept {
  std::uint32_t crc = ~before;
#if defined(__x86_64__)
  if (const std::size_t pieces = bytes.size() / kFold * kFold; pieces > 0 && __builtin_cpu_supports("pclmul")) {
    crc = take_pieces(crc, bytes.first(pieces));
    bytes = bytes.subspan(pieces);
  }
#endif
  return ~take(crc, bytes);
}

}  // namespace carousel
