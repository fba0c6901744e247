// Oracle: the failures that GoogleTest reports, read back from its own result list.
#include "tests/support/expect_near.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <limits>

namespace carousel {
namespace {

const Tensor& expected() {
  static const Tensor tensor(Shape{2, 3}, std::vector<float>{0, 1, 2, 3, 4, 100});
  return tensor;
}

void compare_changed(std::int64_t index, float value) {
  Tensor got = expected();
  got[index] = value;
  expect_near(got, expected(), 1e-3, "hidden");
}

TEST(ExpectNear, AcceptsWhatIsWithinTheTolerance) {
  compare_changed(5, 100.1F);
  compare_changed(0, 0.0009F);
  expect_near(expected().view(), expected(), 0.0, "same");
  expect_near(std::vector<double>{1, 2}, std::vector<float>{1, 2}, 0.0, "vectors");
}

TEST(ExpectNear, NamesTensorElementAndBothValues) {
  EXPECT_NONFATAL_FAILURE(compare_changed(5, 100.2F), "hidden[1, 2]: got 100.2, expected 100");
  EXPECT_NONFATAL_FAILURE(compare_changed(0, 0.0011F), "hidden[0, 0]");
  EXPECT_NONFATAL_FAILURE(compare_changed(3, std::numeric_limits<float>::quiet_NaN()), "hidden[1, 0]: got nan");
}

TEST(ExpectNear, RefusesAnotherShape) {
  EXPECT_NONFATAL_FAILURE(expect_near(expected().reshaped({3, 2}), expected(), 1.0, "hidden"), "got shape [3, 2]");
}

}  // namespace
}  // namespace carousel
