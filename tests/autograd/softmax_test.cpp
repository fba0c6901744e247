#include "autograd/ops/softmax.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/tanh.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

// Oracle: closed form. Logarithms of 1, 2, 5 are in the proportion 1 : 2 : 5, and adding a constant changes nothing,
// not even one at which exp() overflows.
TEST(Softmax, MatchesTheClosedFormAndIgnoresAConstant) {
  const double l2 = std::log(2.0), l5 = std::log(5.0);
  const BasicTensor<double> x({2, 3}, std::vector<double>{0, l2, l5, 1000 + l5, 1000, 1000 + l2});
  Tape<double> tape;
  expect_near(softmax(tape.constant(x.view())).value(),
              BasicTensor<double>({2, 3}, std::vector<double>{0.125, 0.25, 0.625, 0.625, 0.125, 0.25}), 1e-13,
              "softmax");
}

// Oracle: central differences in double; leaf and inner input, used twice.
TEST(Softmax, GradientMatchesCentralDifferences) {
  auto x = random_parameter("x", {3, 2, 5});
  EXPECT_TRUE(check_gradients([&](Tape<double>& t) { return softmax(t.parameter(x)); }, {&x}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        auto in = tanh(t.parameter(x));
        return add(softmax(softmax(in)), in);
      },
      {&x}));
}

}  // namespace
}  // namespace carousel
