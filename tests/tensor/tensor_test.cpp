// Oracle: numbers counted up by hand; a transpose done twice is the input.
#include "carousel/tensor.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/expect_error.h"

namespace carousel {
namespace {

template <class T>
class TensorOf : public testing::Test {
 protected:
  static BasicTensor<T> counted(const Shape& shape) {
    BasicTensor<T> tensor(shape);
    std::iota(tensor.span().begin(), tensor.span().end(), T(1));
    return tensor;
  }
};
using Types = testing::Types<float, double, std::int32_t>;
TYPED_TEST_SUITE(TensorOf, Types);

TYPED_TEST(TensorOf, IsAlignedAndZeroFilled) {
  const BasicTensor<TypeParam> tensor(Shape{3, 5});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64, 0U);
  for (const TypeParam value : tensor.span()) EXPECT_EQ(value, TypeParam(0));
  EXPECT_EQ(BasicTensor<TypeParam>().elements(), 0);
  EXPECT_EQ(BasicTensor<TypeParam>(Shape()).elements(), 1);
}

TYPED_TEST(TensorOf, CopiesOwnTheirElements) {
  const BasicTensor<TypeParam> original = this->counted({2, 3});
  BasicTensor<TypeParam> copy = original, assigned_same(Shape{6}), assigned_other(Shape{7, 7}),
                         from_view(original.view());
  assigned_same = original;
  assigned_other = original;
  copy[4] = 99;
  EXPECT_EQ(original[4], TypeParam(5));
  for (const auto* tensor : {&assigned_same, &assigned_other, &from_view}) {
    EXPECT_EQ(tensor->shape(), (Shape{2, 3}));
    EXPECT_NE(tensor->data(), original.data());
    EXPECT_TRUE(std::equal(original.span().begin(), original.span().end(), tensor->span().begin()));
  }
}

TYPED_TEST(TensorOf, MovingKeepsTheMemoryAndLeavesAnEmptyTensor) {
  BasicTensor<TypeParam> original = this->counted({2, 3});
  const TypeParam* data = original.data();
  BasicTensor<TypeParam> moved = std::move(original);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(original.elements(), 0);  // NOLINT: the state after a move is what is tested
  BasicTensor<TypeParam> assigned;
  assigned = std::move(moved);
  EXPECT_EQ(assigned.data(), data);
  EXPECT_EQ(assigned.shape(), (Shape{2, 3}));
}

TYPED_TEST(TensorOf, ReshapingKeepsTheOrder) {
  const BasicTensor<TypeParam> tensor = this->counted({2, 6}), other = tensor.reshaped({3, 4});
  EXPECT_EQ(other.shape(), (Shape{3, 4}));
  EXPECT_EQ(other.view().row(2)[1], TypeParam(10));
  expect_error(Code::kUsage, {"12 values", "[5, 2]", "10"}, [&] { tensor.reshaped({5, 2}); });
}

TYPED_TEST(TensorOf, TransposeSwapsTimeAndBatch) {
  const BasicTensor<TypeParam> input = this->counted({3, 2, 4});
  const BasicTensor<TypeParam> output = transpose_time_and_batch<TypeParam>(input.view());
  ASSERT_EQ(output.shape(), (Shape{2, 3, 4}));
  for (std::int64_t t = 0; t < 3; ++t) {
    for (std::int64_t n = 0; n < 2; ++n) {
      for (std::int64_t c = 0; c < 4; ++c) {
        EXPECT_EQ(output[(n * 3 + t) * 4 + c], static_cast<TypeParam>((t * 2 + n) * 4 + c + 1)) << t << n << c;
      }
    }
  }
  const BasicTensor<TypeParam> twice = transpose_time_and_batch<TypeParam>(output.view());
  EXPECT_TRUE(std::equal(input.span().begin(), input.span().end(), twice.span().begin()));
  EXPECT_EQ(transpose_time_and_batch<TypeParam>(BasicTensor<TypeParam>(Shape{0, 5, 2}).view()).shape(),
            (Shape{5, 0, 2}));
}

TEST(Tensor, RefusesValuesThatDoNotFit) {
  const std::vector<float> five(5);
  expect_error(Code::kUsage, {"5 values", "[2, 3]", "expected 6"}, [&] { Tensor(Shape{2, 3}, five); });
  expect_error(Code::kUsage, {"[3]", "[T, N, ...]"}, [] { transpose_time_and_batch<float>(Tensor(Shape{3}).view()); });
}

TEST(Tensor, FillWritesEveryElement) {
  Tensor tensor(Shape{3, 3});
  tensor.fill(2.5F);
  for (const float value : tensor.span()) EXPECT_EQ(value, 2.5F);
}

}  // namespace
}  // namespace carousel
