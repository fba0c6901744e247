#include "base/random.h"

#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

#include "base/philox.h"

namespace carousel {

namespace {

std::uint64_t join(std::uint32_t low, std::uint32_t high) { return low | static_cast<std::uint64_t>(high) << 32; }

// low + (high - low) u, kept below high when the sum rounds up to it.
template <class T>
T scale(T low, T high, T u) {
  const T value = low + (high - low) * u;
  return value < high ? value : std::nextafter(high, low);
}

// Box and Muller 1958: u1 in (0, 1], u2 in [0, 1) -> two independent normal numbers.
std::pair<double, double> box_muller(double u1, double u2) {
  const double radius = std::sqrt(-2.0 * std::log(u1)), angle = 2.0 * std::numbers::pi * u2;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

// Calls put(i, number) for the first `count` numbers; block(b) gives the `Width` numbers b * Width, ...
template <int Width, class Block, class Put>
void for_blocks(std::size_t count, Block block, Put put) {
  for (std::size_t first = 0; first < count; first += Width) {
    const auto numbers = block(first / Width);
    for (std::size_t k = 0; k < Width && first + k < count; ++k) put(first + k, numbers[k]);
  }
}

}  // namespace

std::array<std::uint32_t, 4> philox(const RandomKey& key, std::uint64_t index) noexcept {
  const std::uint32_t high = static_cast<std::uint32_t>(key.purpose) << 24 ^ static_cast<std::uint32_t>(key.step >> 32);
  return philox4x32_10({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                        static_cast<std::uint32_t>(key.step), high},
                       {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)});
}

float uniform(const RandomKey& key, std::uint64_t index) noexcept {
  return static_cast<float>(philox(key, index / 4)[index % 4] >> 8) * 0x1p-24F;
}

std::uint64_t uniform_below(const RandomKey& key, std::uint64_t index, std::uint64_t bound) noexcept {
  __extension__ using Wide = unsigned __int128;
  const auto bits = philox(key, index);
  return static_cast<std::uint64_t>(static_cast<Wide>(join(bits[0], bits[1])) * bound >> 64);
}

void fill_uniform(const RandomKey& key, float low, float high, std::span<float> out) noexcept {
  for_blocks<4>(
      out.size(), [&](std::uint64_t block) { return philox(key, block); },
      [&](std::size_t i, std::uint32_t bits) { out[i] = scale(low, high, static_cast<float>(bits >> 8) * 0x1p-24F); });
}

void fill_uniform(const RandomKey& key, double low, double high, std::span<double> out) noexcept {
  for_blocks<2>(
      out.size(),
      [&](std::uint64_t block) {
        const auto bits = philox(key, block);
        return std::array{join(bits[0], bits[1]), join(bits[2], bits[3])};
      },
      [&](std::size_t i, std::uint64_t bits) { out[i] = scale(low, high, static_cast<double>(bits >> 11) * 0x1p-53); });
}

void fill_normal(const RandomKey& key, float mean, float deviation, std::span<float> out) noexcept {
  for_blocks<4>(
      out.size(),
      [&](std::uint64_t block) {
        const auto bits = philox(key, block);
        const auto [a, b] = box_muller((bits[0] + 1.0) * 0x1p-32, bits[1] * 0x1p-32);
        const auto [c, d] = box_muller((bits[2] + 1.0) * 0x1p-32, bits[3] * 0x1p-32);
        return std::array{a, b, c, d};
      },
      [&](std::size_t i, double number) { out[i] = static_cast<float>(mean + deviation * number); });
}

void fill_normal(const RandomKey& key, double mean, double deviation, std::span<double> out) noexcept {
  for_blocks<2>(
      out.size(),
      [&](std::uint64_t block) {
        const auto bits = philox(key, block);
        const auto u1 = (join(bits[0], bits[1]) >> 11) + 1, u2 = join(bits[2], bits[3]) >> 11;
        const auto [a, b] = box_muller(static_cast<double>(u1) * 0x1p-53, static_cast<double>(u2) * 0x1p-53);
        return std::array{a, b};
      },
      [&](std::size_t i, double number) { out[i] = mean + deviation * number; });
}

void fill_permutation(const RandomKey& key, std::span<std::int64_t> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int64_t>(i);
  for (std::size_t i = out.size(); i-- > 1;) std::swap(out[i], out[uniform_below(key, i, i + 1)]);
}

}  // namespace carousel
