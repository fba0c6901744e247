// Oracle: every sample is there once; what similar lengths mean is counted as padding; padded ids are written by hand.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "data/text/batching.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

using Batches = std::vector<std::vector<std::int64_t>>;

std::vector<std::int32_t> random_lengths(std::size_t count) {
  std::vector<std::int32_t> lengths(count);
  for (std::size_t i = 0; i < count; ++i) {
    lengths[i] = static_cast<std::int32_t>(uniform_below({11, Purpose::kTest, 0}, i, 200));
  }
  return lengths;
}

void expect_every_sample_once(const Batches& batches, std::size_t samples, std::int64_t batch_size) {
  std::vector<std::int64_t> all;
  std::int64_t smaller = 0;
  for (const auto& batch : batches) {
    all.insert(all.end(), batch.begin(), batch.end());
    EXPECT_LE(static_cast<std::int64_t>(batch.size()), batch_size);
    smaller += static_cast<std::int64_t>(batch.size()) < batch_size ? 1 : 0;
  }
  EXPECT_LE(smaller, 1);
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), samples);
  for (std::size_t i = 0; i < samples; ++i) ASSERT_EQ(all[i], static_cast<std::int64_t>(i));
}

TEST(Batches, HoldEverySampleOnceLongestFirst) {
  for (const std::size_t samples : {0U, 1U, 31U, 32U, 33U, 1600U, 1601U, 5003U}) {
    const std::vector<std::int32_t> lengths = random_lengths(samples);
    for (const bool shuffle : {false, true}) {
      const Batches batches = batches_by_length(lengths, {32, shuffle, 1, 0});
      expect_every_sample_once(batches, samples, 32);
      for (const auto& batch : batches) {
        EXPECT_TRUE(std::is_sorted(batch.begin(), batch.end(), [&](std::int64_t a, std::int64_t b) {
          return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
        }));
      }
    }
  }
}

TEST(Batches, WasteLittleOnPadding) {
  const std::vector<std::int32_t> lengths = random_lengths(5003);
  std::int64_t padded = 0, real = 0;
  for (const auto& batch : batches_by_length(lengths, {32, true, 1, 0})) {
    for (const std::int64_t i : batch) real += lengths[static_cast<std::size_t>(i)];
    padded += static_cast<std::int64_t>(batch.size()) * lengths[static_cast<std::size_t>(batch[0])];
  }
  // Lengths 0 .. 199 in pools of 50 batches: a batch spans about 4 of them, against a mean of 100; unsorted it is
  // twice.
  EXPECT_LT(static_cast<double>(padded), 1.05 * static_cast<double>(real));
}

TEST(Batches, AreShuffledByLengthToo) {
  const std::vector<std::int32_t> lengths = random_lengths(5003);
  const Batches batches = batches_by_length(lengths, {32, true, 1, 0});
  std::int64_t longer = 0;
  for (std::size_t i = 1; i < batches.size(); ++i) {
    const auto length = [&](std::size_t b) { return lengths[static_cast<std::size_t>(batches[b][0])]; };
    longer += length(i) > length(i - 1) ? 1 : 0;
  }
  // 156 neighbours, half of them rising in a random order (deviation about 3.6), none in a sorted one.
  EXPECT_GT(longer, 60);
  EXPECT_LT(longer, 96);
}

TEST(Batches, DependOnSeedAndEpochAndOnNothingElse) {
  const std::vector<std::int32_t> lengths = random_lengths(333);
  const Batches first = batches_by_length(lengths, {8, true, 1, 0});
  EXPECT_EQ(first, batches_by_length(lengths, {8, true, 1, 0}));
  EXPECT_NE(first, batches_by_length(lengths, {8, true, 2, 0}));
  EXPECT_NE(first, batches_by_length(lengths, {8, true, 1, 1}));
  EXPECT_EQ(batches_by_length(lengths, {8, false, 1, 0}), batches_by_length(lengths, {8, false, 2, 3}));
  expect_error(Code::kUsage, {"batch_size is 0"}, [&] { batches_by_length(lengths, {0, true, 1, 0}); });
}

// All lengths differ and one pool holds them all, so every epoch has the same batches, in an order of its own.
TEST(Batches, ComeInANewOrderEveryEpoch) {
  std::vector<std::int32_t> lengths;
  for (std::int32_t i = 0; i < 100; ++i) lengths.push_back(i * 7 % 101);
  Batches first = batches_by_length(lengths, {5, true, 1, 0}), second = batches_by_length(lengths, {5, true, 1, 1});
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
}

TEST(Batches, AHugeBatchSizeIsOneBatch) {
  EXPECT_EQ(batches_by_length(random_lengths(5), {std::int64_t{1} << 60, true, 1, 0}).size(), 1U);
}

TEST(PadIds, AreTimeMajorWithZerosBehindTheEnd) {
  const std::vector<std::vector<std::int32_t>> sequences = {{7, 8, 9}, {}, {4}, {5, 6}};
  const PaddedIds padded = pad_ids(sequences, std::vector<std::int64_t>{0, 3, 1, 2});
  EXPECT_EQ(padded.lengths, (std::vector<std::int32_t>{3, 2, 0, 1}));
  EXPECT_EQ(padded.ids.shape(), (Shape{3, 4}));
  EXPECT_EQ(std::vector<std::int32_t>(padded.ids.span().begin(), padded.ids.span().end()),
            (std::vector<std::int32_t>{7, 5, 0, 4, 8, 6, 0, 0, 9, 0, 0, 0}));
  EXPECT_EQ(pad_ids(sequences, std::vector<std::int64_t>{1}).ids.shape(), (Shape{1, 1}));
}

}  // namespace
}  // namespace carousel
