// Oracle: the definitions of the two tasks, and what chance and arithmetic say of a few thousand draws.
#include "bench/studies/long_memory_tasks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace carousel::bench {
namespace {

TEST(LongMemoryTasks, AddingMarksAValueInEachHalfAndAsksForTheirSum) {
  constexpr std::int64_t T = 9, N = 4000;
  std::mt19937 random(1);
  const AddingBatch batch = draw_adding(T, N, random);
  ASSERT_EQ((Shape{T, N, 2}), batch.inputs.shape());
  ASSERT_EQ((Shape{N, 1}), batch.targets.shape());
  std::vector<int> marked(T, 0);
  double squares = 0, values = 0;
  for (std::int64_t n = 0; n < N; ++n) {
    float sum = 0;
    std::vector<std::int64_t> places;
    for (std::int64_t t = 0; t < T; ++t) {
      const float value = batch.inputs[(t * N + n) * 2], mark = batch.inputs[(t * N + n) * 2 + 1];
      ASSERT_TRUE(value >= 0 && value < 1 && (mark == 0 || mark == 1));
      values += value;
      if (mark == 0) continue;
      sum += value;
      places.push_back(t);
      ++marked[static_cast<std::size_t>(t)];
    }
    ASSERT_EQ(2U, places.size());
    EXPECT_TRUE(places[0] < T / 2 && places[1] >= T / 2);
    EXPECT_EQ(sum, batch.targets[n]);
    squares += std::pow(sum - 1, 2) / N;
  }
  EXPECT_NEAR(0.5, values / (T * N), 0.01);       // 6 deviations of the mean
  EXPECT_NEAR(adding_baseline(), squares, 0.02);  // 5: the variance of two uniform numbers, 1/12 each
  EXPECT_DOUBLE_EQ(2.0 / 12, adding_baseline());
  for (std::size_t t = 0; t < T; ++t) EXPECT_NEAR(t < 4 ? N / 4 : N / 5, marked[t], 170) << t;  // 6
}

TEST(LongMemoryTasks, CopyingAsksForTheFirstSymbolsAfterTheMark) {
  constexpr std::int64_t T = 5, N = 800, kSteps = T + 20;
  std::mt19937 random(2);
  const CopyingBatch batch = draw_copying(T, N, random);
  ASSERT_EQ((Shape{kSteps, N, 10}), batch.inputs.shape());
  ASSERT_EQ((Shape{kSteps, N}), batch.labels.shape());
  std::vector<int> drawn(8, 0);
  for (std::int64_t n = 0; n < N; ++n) {
    std::vector<std::int64_t> symbols;
    for (std::int64_t t = 0; t < kSteps; ++t) {
      std::int64_t symbol = -1;
      float sum = 0;
      for (std::int64_t k = 0; k < 10; ++k) {
        const float x = batch.inputs[(t * N + n) * 10 + k];
        sum += x;
        if (x == 1) symbol = k;
      }
      ASSERT_EQ(1, sum);
      symbols.push_back(symbol);
    }
    for (std::int64_t t = 0; t < kSteps; ++t) {
      const std::int64_t symbol = symbols[static_cast<std::size_t>(t)];
      if (t < 10) {
        ASSERT_LT(symbol, 8);
        ++drawn[static_cast<std::size_t>(symbol)];
      } else {
        EXPECT_EQ(t == T + 9 ? 9 : 8, symbol) << t;  // the mark after 10 symbols and T - 1 blanks
      }
      EXPECT_EQ(t < T + 10 ? 8 : symbols[static_cast<std::size_t>(t - T - 10)], batch.labels[t * N + n]) << t;
    }
  }
  for (const int count : drawn) EXPECT_NEAR(1000, count, 180);  // 6 deviations
}

// Oracle: the cross entropy of that prediction, step by step: certain of the blanks, 1/8 for each symbol.
TEST(LongMemoryTasks, TheBaselineOfCopyingIsThatOfEvenOddsAtTenSteps) {
  double sum = 0;
  for (int t = 0; t < 120; ++t) sum -= std::log(t < 110 ? 1.0 : 1.0 / 8) / 120;
  EXPECT_NEAR(sum, copying_baseline(100), 1e-14);
}

TEST(LongMemoryTasks, TheSameSeedDrawsTheSameAndAnotherBatchIsAnother) {
  std::mt19937 a(3), b(3);
  const AddingBatch first = draw_adding(10, 4, a), second = draw_adding(10, 4, a), again = draw_adding(10, 4, b);
  EXPECT_TRUE(std::equal(first.inputs.span().begin(), first.inputs.span().end(), again.inputs.span().begin()));
  EXPECT_FALSE(std::equal(first.inputs.span().begin(), first.inputs.span().end(), second.inputs.span().begin()));
}

}  // namespace
}  // namespace carousel::bench
