#include "autograd/ops/affine_columns.h"

#include <gtest/gtest.h>

#include <array>

#include "autograd/ops/add.h"
#include "autograd/ops/tanh.h"
#include "tests/support/expect_error.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

constexpr std::array<double, 3> kFactor{2, -0.5, 3}, kOffset{10, 20, -30};

// Oracle: worked by hand.
TEST(AffineColumns, ScalesAndShiftsEveryColumn) {
  const BasicTensor<double> x({2, 1, 3}, std::vector<double>{1, 2, 3, -4, 0, 6});
  Tape<double> tape;
  auto y = affine_columns<double>(tape.constant(x.view()), kFactor, kOffset);
  ASSERT_EQ(y.shape(), (Shape{2, 1, 3}));
  const double expected[] = {12, 19, -21, 2, 20, -12};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(y.value().data[i], expected[i]) << i;
}

// Oracle: central differences in double; the input as a leaf, as an inner value and used twice.
TEST(AffineColumns, GradientsMatchCentralDifferences) {
  auto x = random_parameter("x", {4, 3});
  EXPECT_TRUE(
      check_gradients([&](Tape<double>& t) { return affine_columns<double>(t.parameter(x), kFactor, kOffset); }, {&x}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        auto inner = tanh(t.parameter(x));
        return add(tanh(affine_columns<double>(inner, kFactor, kOffset)), inner);
      },
      {&x}));
}

// Oracle: the contract in the header.
TEST(AffineColumns, RefusesAnotherNumberOfColumns) {
  const BasicTensor<double> x({3, 2});
  Tape<double> tape;
  expect_error(Code::kUsage, {"affine_columns"},
               [&] { affine_columns<double>(tape.constant(x.view()), kFactor, kOffset); });
}

}  // namespace
}  // namespace carousel
