// Oracle: the known-answer vectors published with Random123 for philox4x32-10; moments of the distributions in closed
// form with five standard errors of room (the seed is fixed, so the outcome is too).
#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/philox.h"

namespace carousel {
namespace {

using Block = std::array<std::uint32_t, 4>;
constexpr RandomKey kKey{.seed = 0x123456789ABCDEF0, .purpose = Purpose::kTest, .step = 3};

TEST(Philox, GivesThePublishedVectors) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32_10({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Oracle: the layout of the counter, which checkpoints rely on: index, step, purpose in the top byte.
TEST(Philox, KeyAndIndexFillTheCounterAsStored) {
  const RandomKey key{.seed = 0x0000000200000001, .purpose = Purpose::kDropout, .step = 0x0000000600000005};
  EXPECT_EQ(philox(key, 0x0000000400000003), philox4x32_10({3, 4, 5, 3U << 24 | 6}, {1, 2}));
}

TEST(Random, EveryPartOfTheKeyChangesTheNumber) {
  const Block base = philox(kKey, 7);
  for (const RandomKey& key :
       {RandomKey{kKey.seed + 1, kKey.purpose, kKey.step},
        RandomKey{kKey.seed + (std::uint64_t{1} << 32), kKey.purpose, kKey.step},
        RandomKey{kKey.seed, Purpose::kNoise, kKey.step}, RandomKey{kKey.seed, kKey.purpose, kKey.step + 1},
        RandomKey{kKey.seed, kKey.purpose, kKey.step + (std::uint64_t{1} << 32)}}) {
    EXPECT_NE(philox(key, 7), base);
  }
  EXPECT_NE(philox(kKey, 8), base);
  EXPECT_NE(philox(kKey, 7 + (std::uint64_t{1} << 32)), base);
}

// Oracle: the numbers one by one; 1001 is no multiple of a block.
TEST(Random, FillingGivesTheNumberOfEachIndex) {
  std::vector<float> all(1001), part(10);
  fill_uniform(kKey, -2.0F, 3.0F, std::span(all));
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], -2.0F + 5.0F * uniform(kKey, i)) << i;
  fill_uniform(kKey, -2.0F, 3.0F, std::span(part));
  EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin()));
}

template <class T>
std::vector<double> moments(const std::vector<T>& numbers) {  // mean, variance, lag-1 covariance
  const double count = static_cast<double>(numbers.size());
  const double mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
  double variance = 0, lag = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    variance += (numbers[i] - mean) * (numbers[i] - mean) / count;
    if (i > 0) lag += (numbers[i] - mean) * (numbers[i - 1] - mean) / count;
  }
  return {mean, variance, lag};
}

template <class T>
void check_uniform() {
  std::vector<T> numbers(100'000);
  fill_uniform(kKey, T(-1), T(3), std::span(numbers));
  EXPECT_GE(*std::ranges::min_element(numbers), T(-1));
  EXPECT_LT(*std::ranges::max_element(numbers), T(3));
  const auto m = moments(numbers);
  EXPECT_NEAR(m[0], 1.0, 5 * std::sqrt(16.0 / 12 / 1e5));
  EXPECT_NEAR(m[1], 16.0 / 12, 5 * std::sqrt((256.0 / 80 - 256.0 / 144) / 1e5));
  EXPECT_NEAR(m[2], 0.0, 5 * 16.0 / 12 / std::sqrt(1e5));
}
TEST(Random, UniformHasItsMomentsAndStaysInside) {
  check_uniform<float>();
  check_uniform<double>();
}

template <class T>
void check_normal() {
  std::vector<T> numbers(100'000);
  fill_normal(kKey, T(2), T(0.5), std::span(numbers));
  const auto m = moments(numbers);
  EXPECT_NEAR(m[0], 2.0, 5 * 0.5 / std::sqrt(1e5));
  EXPECT_NEAR(m[1], 0.25, 5 * 0.25 * std::sqrt(2.0 / 1e5));
  EXPECT_NEAR(m[2], 0.0, 5 * 0.25 / std::sqrt(1e5));
  double fourth = 0;  // E z^4 = 3, variance of z^4 is 96
  for (const T x : numbers) fourth += std::pow((x - 2) / 0.5, 4) / 1e5;
  EXPECT_NEAR(fourth, 3.0, 5 * std::sqrt(96.0 / 1e5));
}
TEST(Random, NormalHasItsMoments) {
  check_normal<float>();
  check_normal<double>();
}

TEST(Random, AnIntervalWhoseWidthRoundsUpStaysHalfOpen) {
  std::vector<float> numbers(1000);
  const float high = std::nextafter(1.0F, 2.0F);
  fill_uniform(kKey, 1.0F, high, std::span(numbers));
  for (const float x : numbers) ASSERT_EQ(x, 1.0F);
}

TEST(Random, UniformBelowHitsEveryValueEquallyOften) {
  std::vector<int> hits(7);
  for (std::uint64_t i = 0; i < 70'000; ++i) ++hits.at(uniform_below(kKey, i, 7));
  for (const int count : hits) EXPECT_NEAR(count, 10'000, 5 * std::sqrt(70'000 * (1.0 / 7) * (6.0 / 7)));
  EXPECT_EQ(uniform_below(kKey, 5, 1), 0U);
}

TEST(Random, APermutationHoldsEachNumberOnceAndEveryOrderIsAsLikely) {
  std::vector<std::int64_t> order(1000);
  fill_permutation(kKey, order);
  std::vector<std::int64_t> sorted = order;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) ASSERT_EQ(sorted[i], static_cast<std::int64_t>(i));
  EXPECT_NE(order, sorted);

  std::array<std::array<int, 3>, 3> hits{};  // hits[place][number]
  for (std::uint64_t step = 0; step < 9000; ++step) {
    std::array<std::int64_t, 3> three;
    fill_permutation({1, Purpose::kShuffle, step}, three);
    for (std::size_t i = 0; i < 3; ++i) ++hits[i][static_cast<std::size_t>(three[i])];
  }
  for (const auto& place : hits) {
    for (const int count : place) EXPECT_NEAR(count, 3000, 5 * std::sqrt(2000.0));
  }
}

}  // namespace
}  // namespace carousel
