// Oracle: parts, means and windows counted by hand on short series.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "data/series/series_split.h"
#include "data/series/windows.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

Series series_of(std::int64_t steps, std::int64_t columns = 1) {
  Series series;
  for (std::int64_t c = 0; c < columns; ++c) series.columns.push_back(fmt::format("x{}", c));
  for (std::int64_t i = 0; i < steps * columns; ++i) series.values.push_back(static_cast<double>(i));
  return series;
}

// Twelve months from 2019-07.
Series months() {
  Series series = series_of(12);
  series.times = TimeAxis({"2019-07", "2019-08", "2019-09", "2019-10", "2019-11", "2019-12", "2020-01", "2020-02",
                           "2020-03", "2020-04", "2020-05", "2020-06"});
  return series;
}

void expect_parts(const SeriesSplit& split, Range train, Range valid, Range test) {
  EXPECT_EQ(Range(split.train), train);
  EXPECT_EQ(split.valid, valid);
  EXPECT_EQ(split.test, test);
}

TEST(SeriesSplit, RowsAreCountsAndTheRestBelongsToNoPart) {
  expect_parts(split_series(series_of(20), "12,3,4"), {0, 12}, {12, 15}, {15, 19});
  expect_parts(split_series(series_of(20), "12, 0, 8"), {0, 12}, {12, 12}, {12, 20});
  expect_parts(split_series(series_of(20), "16,4"), {0, 16}, {16, 20}, {20, 20});
}

TEST(SeriesSplit, FractionsAreOfAllRowsAndSumsOfDecimalsLoseNoRow) {
  expect_parts(split_series(series_of(10), "0.7,0.1,0.2"), {0, 7}, {7, 8}, {8, 10});
  expect_parts(split_series(series_of(17), "0.5,0.25"), {0, 8}, {8, 12}, {12, 12});
}

TEST(SeriesSplit, DatesAreTheLastOfEachPart) {
  ASSERT_EQ(months().times.text(5), "2019-12");
  expect_parts(split_series(months(), "2019-12,2020-02,2020-05"), {0, 6}, {6, 8}, {8, 11});
  expect_parts(split_series(months(), "2019-11-30,2020-06"), {0, 5}, {5, 12}, {12, 12});
}

TEST(SeriesSplit, WrongPartsAreErrorsThatSayWhy) {
  const auto split = [](const Series& series, const std::string& parts) {
    return [series, parts] { split_series(series, parts); };
  };
  expect_error(Code::kUsage, {"20", "'9'"}, split(series_of(20), "12,9"));
  expect_error(Code::kUsage, {"1.1"}, split(series_of(20), "0.9,0.2"));
  expect_error(Code::kUsage, {"1 parts", "expected"}, split(series_of(20), "20"));
  expect_error(Code::kUsage, {"'a,b'"}, split(series_of(20), "a,b"));
  expect_error(Code::kUsage, {"no row"}, split(series_of(20), "0,20"));
  expect_error(Code::kUsage, {"time column"}, split(series_of(20), "2019-12,2020-02"));
  expect_error(Code::kUsage, {"before"}, split(months(), "2020-03,2020-02"));
  expect_error(Code::kUsage, {"99999999999999999999"}, split(series_of(20), "99999999999999999999,1"));
}

TEST(SeriesSplit, ByDefaultTheLastPartInTimeValidates) {
  expect_parts(split_last(series_of(20), 0.2, 3), {0, 16}, {16, 20}, {20, 20});
  expect_parts(split_last(series_of(20), 0.1, 5), {0, 15}, {15, 20}, {20, 20});
  expect_parts(train_on_all(series_of(20)), {0, 20}, {20, 20}, {20, 20});
  expect_error(Code::kUsage, {"1.5"}, [] { split_last(series_of(20), 1.5, 1); });
  expect_error(Code::kData, {"20 values"}, [] { split_last(series_of(20), 0.2, 20); });
}

TEST(Windows, AMissingInputIsTheLastKnownOneBeforeItAndAMissingTargetStaysMissing) {
  const double none = std::nan("");
  Series series = series_of(6, 2);
  series.values = {none, 1, 5, none, none, 2, none, none, 7, 3, none, none};
  const std::vector<WindowAt> windows = {{0, 2}, {0, 4}, {0, 5}};
  const std::vector<std::int64_t> targets = {0};
  WindowBatch batch;
  gather_windows(std::span(&series, 1), windows, {2, 1, 1}, targets, batch);
  // [window 2, windows 3, columns 2]: rows 0, 2, 3 and then 1, 3, 4.
  const std::vector<float> expected = {0, 1, 5, 2, 5, 2, 5, 1, 5, 2, 7, 3};
  EXPECT_EQ(std::vector<float>(batch.inputs.data(), batch.inputs.data() + 12), expected);
  EXPECT_TRUE(std::isnan(batch.targets[0]));
  EXPECT_EQ(batch.targets[1], 7);
  EXPECT_TRUE(std::isnan(batch.targets[2]));
}

TEST(Windows, AreCountedAsByHandOnTwentyPoints) {
  const SeriesSplit split = split_series(series_of(20), "12,5,3");
  // Training rows 0..11, window 4, horizon 3: origins 4 .. 9.
  const Origins all = training_origins(split.train, {4, 3, 1});
  EXPECT_EQ(all.first, 4);
  EXPECT_EQ(all.count, 6);
  EXPECT_EQ(all[5], 9);
  EXPECT_EQ(training_origins(split.train, {4, 3, 2}).count, 3);  // 4, 6, 8
  EXPECT_EQ(training_origins(split.train, {4, 3, 5}).count, 2);  // 4, 9
  EXPECT_EQ(training_origins(split.train, {9, 3, 1}).count, 1);
  EXPECT_EQ(training_origins(split.train, {10, 3, 1}).count, 0);
  // Validation rows 12..16: the input reaches back, the target does not reach out: origins 12, 13, 14.
  const Origins valid = held_back_origins(split.valid, {4, 3, 1});
  EXPECT_EQ(valid.first, 12);
  EXPECT_EQ(valid.count, 3);
  EXPECT_EQ(held_back_origins(split.valid, {4, 5, 1}).count, 1);
  EXPECT_EQ(held_back_origins(split.valid, {4, 6, 1}).count, 0);
  EXPECT_EQ(held_back_origins(split.valid, {14, 3, 1}).first, 14);  // not before the series has a window
  EXPECT_EQ(held_back_origins(split.test, {4, 3, 1}).count, 1);
  expect_error(Code::kUsage, {"window is 0"}, [&] { training_origins(split.train, {0, 3, 1}); });
}

TEST(Windows, NeverCrossASplit) {
  const SeriesSplit split = split_series(series_of(53), "31,12,10");
  for (std::int64_t window : {1, 3, 8}) {
    for (std::int64_t horizon : {1, 2, 5}) {
      for (std::int64_t stride : {1, 3}) {
        const WindowShape shape{window, horizon, stride};
        const Origins train = training_origins(split.train, shape);
        for (std::int64_t i = 0; i < train.count; ++i) {
          EXPECT_GE(train[i] - window, split.train.begin());
          EXPECT_LE(train[i] + horizon, split.train.end());
        }
        EXPECT_GT(train[train.count] + horizon, split.train.end());  // and none is forgotten
        for (const Range& part : {split.valid, split.test}) {
          const Origins origins = held_back_origins(part, shape);
          for (std::int64_t i = 0; i < origins.count; ++i) {
            EXPECT_GE(origins[i], part.begin);
            EXPECT_LE(origins[i] + horizon, part.end);
          }
          EXPECT_GT(origins[origins.count] + horizon, part.end);
        }
      }
    }
  }
}

TEST(Windows, ATooShortSeriesSaysWhatThereIsWhatIsNeededAndWhatToChange) {
  Series series = series_of(30);
  series.id = "H7";
  expect_error(Code::kData, {"'H7'", "30 values", "20 of them", "window of 24", "horizon of 12", "need 36", "--window"},
               [&] {
                 require_training_window(series, split_series(series, "20,10").train, {24, 12, 1});
               });
  EXPECT_NO_THROW(require_training_window(series, split_series(series, "20,10").train, {8, 12, 1}));
}

TEST(Windows, GatherCopiesTimeMajor) {
  const std::vector<Series> series = {series_of(9, 3), series_of(7, 3)};  // value = 3 t + c
  const std::vector<WindowAt> at = {{0, 4}, {1, 3}};
  const std::vector<std::int64_t> targets = {2, 0};
  WindowBatch batch;
  gather_windows(series, at, {3, 2, 1}, targets, batch);
  ASSERT_EQ(batch.inputs.shape(), (Shape{3, 2, 3}));
  ASSERT_EQ(batch.targets.shape(), (Shape{2, 2, 2}));
  expect_near(batch.inputs,
              Tensor(Shape{3, 2, 3}, std::vector<float>{3, 4, 5, 0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11, 6, 7, 8}), 0,
              "inputs");
  expect_near(batch.targets, Tensor(Shape{2, 2, 2}, std::vector<float>{14, 12, 11, 9, 17, 15, 14, 12}), 0, "targets");
  const float* before = batch.inputs.data();
  gather_windows(series, at, {3, 2, 1}, targets, batch);
  EXPECT_EQ(batch.inputs.data(), before);  // the same shape: the memory is used again
}

}  // namespace
}  // namespace carousel
