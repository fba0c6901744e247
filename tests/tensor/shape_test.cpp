// Oracle: sizes and products worked out by hand.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "carousel/tensor.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

TEST(Shape, KnowsItsSizes) {
  const Shape shape{3, 2, 4};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape[1], 2);
  EXPECT_EQ(shape.back(), 4);
  EXPECT_EQ(shape.elements(), 24);
  EXPECT_EQ(shape.rows(), 6);
  EXPECT_EQ(shape.to_string(), "[3, 2, 4]");
}

TEST(Shape, AScalarHasOneElementAndAnEmptyShapeNone) {
  EXPECT_EQ(Shape().elements(), 1);
  EXPECT_EQ(Shape().rows(), 1);
  EXPECT_EQ(Shape().to_string(), "[]");
  EXPECT_EQ((Shape{3, 0}).elements(), 0);
  EXPECT_EQ((Shape{3, 0}).rows(), 0);
}

TEST(Shape, IsEqualOnlyWithTheSameAxes) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2, 3}), (Shape{2, 3, 1}));
  EXPECT_NE(Shape(), Shape{0});
}

TEST(Shape, RefusesHostileSizes) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  expect_error(Code::kUsage, {"shape", "6 axes", "at most 5"}, [] { Shape{1, 1, 1, 1, 1, 1}; });
  expect_error(Code::kUsage, {"shape", "-1"}, [] { Shape{2, -1}; });
  expect_error(Code::kUsage, {"shape", "2^48"}, [] { Shape{kHuge, 2}; });
  expect_error(Code::kUsage, {"shape", "2^48"}, [] { Shape{kHuge, kHuge, 0}; });
  const std::array<std::int64_t, 2> sizes{kHuge, kHuge};
  expect_error(Code::kUsage, {"shape"}, [&] { Shape{std::span<const std::int64_t>(sizes)}; });
}

}  // namespace
}  // namespace carousel
