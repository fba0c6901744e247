// Oracle: a batch of three samples worked out by hand.
#include "layers/sequence_layout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "carousel/error.h"

namespace carousel {
namespace {

TEST(SequenceLayout, SortsByLengthAndShrinksTheBatch) {
  const std::vector<std::int32_t> lengths{1, 3, 0, 3};
  const SequenceLayout layout(4, lengths);
  EXPECT_EQ(7, layout.rows());
  EXPECT_EQ(3, layout.longest());
  EXPECT_EQ(4, layout.time_steps());
  EXPECT_FALSE(layout.uniform());
  const std::int64_t order[] = {1, 3, 0, 2}, batch_sizes[] = {3, 2, 2}, offsets[] = {0, 3, 5, 7};
  for (int k = 0; k < 4; ++k) EXPECT_EQ(order[k], layout.sample(k));
  for (int t = 0; t < 3; ++t) EXPECT_EQ(batch_sizes[t], layout.batch_size(t));
  for (int t = 0; t < 4; ++t) EXPECT_EQ(offsets[t], layout.offset(t));
  const std::vector<std::int64_t> samples{1, 3, 0, 1, 3, 1, 3}, padded{1, 3, 0, 5, 7, 9, 11}, last{2, 5, -1, 6};
  EXPECT_EQ(samples, std::vector<std::int64_t>(layout.row_samples().begin(), layout.row_samples().end()));
  EXPECT_EQ(padded, std::vector<std::int64_t>(layout.padded_rows().begin(), layout.padded_rows().end()));
  EXPECT_EQ(last, std::vector<std::int64_t>(layout.last_rows().begin(), layout.last_rows().end()));
}

TEST(SequenceLayout, EqualLengthsAreThePaddedForm) {
  const SequenceLayout layout(3, 2);
  EXPECT_TRUE(layout.uniform());
  for (std::int64_t r = 0; r < 6; ++r) EXPECT_EQ(r, layout.padded_rows()[static_cast<std::size_t>(r)]);
}

TEST(SequenceLayout, ALengthBeyondTheBatchIsAnError) {
  const std::vector<std::int32_t> too_long{2, 5}, negative{2, -1};
  EXPECT_THROW(SequenceLayout(4, too_long), Error);
  EXPECT_THROW(SequenceLayout(4, negative), Error);
}

// Oracle: a layout made from the shorter lengths.
TEST(SequenceLayout, ShortenedIsTheLayoutOfShorterSamples) {
  const std::vector<std::int32_t> lengths{1, 3, 0, 4}, shorter{0, 1, 0, 2};
  SequenceLayout layout(5, lengths);
  const SequenceLayout expected(3, shorter);
  const SequenceLayout& got = layout.shortened(2);
  EXPECT_EQ(3, got.time_steps());
  EXPECT_EQ(3, got.rows());
  EXPECT_EQ(2, got.longest());
  for (std::int64_t t = 0; t < 2; ++t) EXPECT_EQ(expected.batch_size(t), got.batch_size(t));
  EXPECT_TRUE(std::ranges::equal(expected.row_samples(), got.row_samples()));
  EXPECT_TRUE(std::ranges::equal(expected.padded_rows(), got.padded_rows()));
  EXPECT_TRUE(std::ranges::equal(expected.last_rows(), got.last_rows()));
  EXPECT_EQ(&got, &layout.shortened(2));  // made once
  EXPECT_EQ(&layout, &layout.shortened(0));
  EXPECT_EQ(0, layout.shortened(9).rows());
  EXPECT_EQ(0, layout.shortened(9).time_steps());
  EXPECT_EQ(1, got.shortened(1).rows());

  const SequenceLayout& step = layout.one_step(3);
  EXPECT_TRUE(step.uniform());
  EXPECT_EQ(3, step.rows());
  EXPECT_EQ(2, step.sample(2));
  EXPECT_EQ(&step, &layout.one_step(3));
  EXPECT_NE(&step, &layout.one_step(2));
  EXPECT_EQ(3, got.rows());  // further ones leave it where it is

  layout.assign(7, 2, {});  // from here on those of the new batch
  EXPECT_EQ(10, layout.shortened(2).rows());
  EXPECT_EQ(3, layout.one_step(3).rows());
}

TEST(SequenceLayout, NoSamplesAndNoStepsAreFine) {
  EXPECT_EQ(0, SequenceLayout(5, 0).rows());
  EXPECT_EQ(0, SequenceLayout(0, 5).rows());
}

}  // namespace
}  // namespace carousel
