// Oracle: counts that follow from the fractions, and that the parts together are every sample once.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/split.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

// 70 of class 0, 25 of class 1, 4 of class 2, 1 of class 3, interleaved.
std::vector<std::int32_t> some_labels() {
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 100; ++i) labels.push_back(i == 37 ? 3 : i % 25 == 3 ? 2 : i % 4 == 1 ? 1 : 0);
  return labels;
}

std::int64_t count(const std::vector<std::int32_t>& labels, const std::vector<std::int64_t>& part, std::int32_t label) {
  return std::count_if(part.begin(), part.end(),
                       [&](std::int64_t i) { return labels[static_cast<std::size_t>(i)] == label; });
}

void expect_partition(const Split& split, std::size_t samples) {
  std::set<std::int64_t> all(split.train.begin(), split.train.end());
  all.insert(split.valid.begin(), split.valid.end());
  EXPECT_EQ(split.train.size() + split.valid.size(), samples);
  EXPECT_EQ(all.size(), samples);
  EXPECT_EQ(*all.begin(), 0);
  EXPECT_EQ(*all.rbegin(), static_cast<std::int64_t>(samples) - 1);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.valid.begin(), split.valid.end()));
}

TEST(StratifiedSplit, TakesTheFractionOfEveryClass) {
  const std::vector<std::int32_t> labels = some_labels();
  const std::vector<std::int64_t> everyone = [] {
    std::vector<std::int64_t> all(100);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    return all;
  }();
  const Split split = stratified_split(labels, 0.2, 5);
  expect_partition(split, labels.size());
  EXPECT_EQ(split.valid.size(), 20U);
  for (std::int32_t label = 0; label < 4; ++label) {
    const auto members = static_cast<double>(count(labels, everyone, label));
    EXPECT_LE(std::abs(static_cast<double>(count(labels, split.valid, label)) - 0.2 * members), 1.0) << label;
    EXPECT_GE(count(labels, split.train, label), 1) << label;
  }
  EXPECT_EQ(count(labels, split.train, 3), 1);
}

TEST(StratifiedSplit, DependsOnTheSeedAndOnNothingElse) {
  const std::vector<std::int32_t> labels = some_labels();
  EXPECT_EQ(stratified_split(labels, 0.2, 5).valid, stratified_split(labels, 0.2, 5).valid);
  EXPECT_NE(stratified_split(labels, 0.2, 5).valid, stratified_split(labels, 0.2, 6).valid);
}

TEST(StratifiedSplit, LeavesTheOnlySampleOfAClassToTraining) {
  // 2.5 rounds to 3. The classes' shares are 2 and 0.5; the larger remainder does not get the third one.
  EXPECT_EQ(stratified_split(std::vector<std::int32_t>{0, 0, 1, 0, 0}, 0.5, 1).valid.size(), 3U);
  const std::vector<std::int64_t> train = stratified_split(std::vector<std::int32_t>{0, 0, 1, 0, 0}, 0.5, 1).train;
  EXPECT_TRUE(std::find(train.begin(), train.end(), 2) != train.end());
}

TEST(StratifiedSplit, RefusesWhatLeavesAPartEmpty) {
  const std::vector<std::int32_t> labels = {0, 0, 0, 0};
  expect_error(Code::kUsage, {"valid_fraction is 0"}, [&] { stratified_split(labels, 0, 1); });
  expect_error(Code::kUsage, {"valid_fraction is 1"}, [&] { stratified_split(labels, 1, 1); });
  expect_error(Code::kUsage, {"0.1 of 4 samples leaves 4 to train and 0 to validate"},
               [&] { stratified_split(labels, 0.1, 1); });
  expect_error(Code::kUsage, {"of 0 samples"}, [&] { stratified_split({}, 0.5, 1); });
}

TEST(StratifiedFolds, EverySampleValidatesOnceAndEveryFoldHasItsShare) {
  const std::vector<std::int32_t> labels = some_labels();
  const std::vector<Split> folds = stratified_folds(labels, 7, 3);
  ASSERT_EQ(folds.size(), 7U);
  std::set<std::int64_t> validated;
  for (const Split& fold : folds) {
    expect_partition(fold, labels.size());
    validated.insert(fold.valid.begin(), fold.valid.end());
    EXPECT_TRUE(fold.valid.size() == 14 || fold.valid.size() == 15) << fold.valid.size();
    EXPECT_LE(std::abs(count(labels, fold.valid, 1) - count(labels, folds[0].valid, 1)), 1);
  }
  EXPECT_EQ(validated.size(), labels.size());
  // A class that comes as often as there are folds, in step with them.
  std::vector<std::int32_t> periodic;
  for (int i = 0; i < 21; ++i) periodic.push_back(i % 7 == 0 ? 1 : 0);
  for (const Split& fold : stratified_folds(periodic, 7, 3)) EXPECT_LE(count(periodic, fold.valid, 1), 1);
  expect_error(Code::kUsage, {"folds is 1, expected 2 .. 100"}, [&] { stratified_folds(labels, 1, 3); });
  expect_error(Code::kUsage, {"folds is 101"}, [&] { stratified_folds(labels, 101, 3); });
}

void expect_sizes(const PartSizes& sizes, std::vector<std::int64_t> expected) {
  EXPECT_EQ((std::vector<std::int64_t>{sizes.train, sizes.valid, sizes.test, sizes.unused}), expected);
}

TEST(ParseSplit, ReadsCountsOrFractionsInFileOrder) {
  expect_sizes(parse_split("8640,2880,2880", 17420), {8640, 2880, 2880, 3020});
  expect_sizes(parse_split(" 5, 0 ,3", 8), {5, 0, 3, 0});
  expect_sizes(parse_split("0.7,0.1,0.2", 11), {8, 1, 2, 0});   // borders 7.7, 8.8, 11
  expect_sizes(parse_split("0.5,0.25,0.0", 10), {5, 3, 0, 2});  // borders 5, 7.5
  expect_sizes(parse_split("1,1,1", 3), {1, 1, 1, 0});
}

TEST(ParseSplit, RefusesEverythingElse) {
  for (const char* text :
       {"", "1,2", "1,2,3,4", "a,b,c", "1,2,-3", "0.9,0.2,0.1", "3,4,5", "0,5,5", "1e3,1,1", "2020-01-01,x,y"}) {
    expect_error(Code::kUsage, {"split '", "expected three row counts"}, [&] { parse_split(text, 10); });
  }
}

}  // namespace
}  // namespace carousel
