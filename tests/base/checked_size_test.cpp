// Oracle: products worked out by hand around the limit 2^48, and the table of exit statuses in error.h.
#include "base/checked_size.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/expect_error.h"

namespace carousel {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(CheckedSize, MultipliesUpToTheLimit) {
  EXPECT_EQ(checked_size({}, "x"), 1);
  EXPECT_EQ(checked_size({3, 5, 7}, "x"), 105);
  EXPECT_EQ(checked_size({std::int64_t{1} << 24, std::int64_t{1} << 24}, "x"), std::int64_t{1} << 48);
}

TEST(CheckedSize, RefusesWhatExceedsTheLimitAndNamesIt) {
  expect_error(Code::kUsage, {"weights", "2^48"}, [] { checked_size({(std::int64_t{1} << 48) + 1}, "weights"); });
  expect_error(Code::kUsage, {"weights"}, [] { checked_size({kMax, kMax, kMax}, "weights"); });
  expect_error(Code::kUsage, {"weights"}, [] {
    checked_size({std::int64_t{1} << 32, std::int64_t{1} << 32}, "weights");
  });
}

TEST(CheckedSize, RefusesNegativeSizes) {
  expect_error(Code::kUsage, {"ids", "-2"}, [] { checked_size({-2, -3}, "ids"); });
  expect_error(Code::kUsage, {"ids"}, [] { checked_size({0, std::numeric_limits<std::int64_t>::min()}, "ids"); });
}

TEST(CheckedSize, AZeroGivesZeroButHidesNoOverflow) {
  EXPECT_EQ(checked_size({4, 0, 5}, "x"), 0);
  expect_error(Code::kUsage, {"2^48"}, [] { checked_size({kMax, 0, kMax}, "x"); });
}

TEST(Error, EveryCodeHasItsExitStatus) {
  EXPECT_EQ(exit_status(Code::kInternal), 1);
  EXPECT_EQ(exit_status(Code::kUsage), 2);
  EXPECT_EQ(exit_status(Code::kData), 3);
  EXPECT_EQ(exit_status(Code::kModel), 3);
  EXPECT_EQ(exit_status(Code::kDiverged), 4);
  EXPECT_EQ(exit_status(Code::kIo), 5);
  EXPECT_EQ(exit_status(Code::kBound), 6);
}

}  // namespace
}  // namespace carousel
