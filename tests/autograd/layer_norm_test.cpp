#include "autograd/ops/layer_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/tanh.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

// Oracle: worked by hand. The row 1, 2, 3, 6 has mean 3 and variance 3.5.
TEST(LayerNorm, MatchesARowWorkedByHand) {
  const BasicTensor<double> x({1, 4}, std::vector<double>{1, 2, 3, 6});
  const BasicTensor<double> gain({4}, std::vector<double>{1, 2, -1, 0.5}), bias({4}, std::vector<double>{0, 1, 2, 3});
  Tape<double> tape;
  auto y = layer_norm(tape.constant(x.view()), tape.constant(gain.view()), tape.constant(bias.view()), 0.5);
  ASSERT_EQ(y.shape(), (Shape{1, 4}));
  const double expected[] = {-1, 1 - 1, 2 - 0, 3 + 0.75};  // (x - 3) / sqrt(3.5 + 0.5), times gain, plus bias
  for (int j = 0; j < 4; ++j) EXPECT_DOUBLE_EQ(y.value().data[j], expected[j]) << j;
}

// Oracle: central differences in double; leaf and inner inputs, gain and bias used twice.
TEST(LayerNorm, GradientsMatchCentralDifferences) {
  auto x = random_parameter("x", {3, 2, 5}), gain = random_parameter("gain", {5}), bias = random_parameter("bias", {5});
  EXPECT_TRUE(
      check_gradients([&](Tape<double>& t) { return layer_norm(t.parameter(x), t.parameter(gain), t.parameter(bias)); },
                      {&x, &gain, &bias}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        auto in = tanh(t.parameter(x)), g = tanh(t.parameter(gain)), b = tanh(t.parameter(bias));
        return add(layer_norm(in, g, b), layer_norm(layer_norm(in, g, b), g, b));
      },
      {&x, &gain, &bias}));
}

// Oracle: closed form. A constant row has variance 0 and becomes the bias, without NaN; float as double to 1e-6.
TEST(LayerNorm, ConstantRowBecomesTheBias) {
  Tensor x({2, 3}), gain({3}), bias({3});
  x.fill(7);
  x[3] = 8;
  gain.fill(2);
  for (std::int64_t j = 0; j < 3; ++j) bias[j] = static_cast<float>(j);
  Tape<float> tape;
  auto y = layer_norm(tape.constant(x.view()), tape.constant(gain.view()), tape.constant(bias.view()));
  for (std::int64_t j = 0; j < 3; ++j) EXPECT_EQ(y.value().data[j], bias[j]) << j;
  const double r = 1 / std::sqrt(2.0 / 9 + 1e-5);  // the row 8, 7, 7: mean 22/3, variance 2/9
  EXPECT_NEAR(y.value().data[3], 2 * r * 2 / 3, 2e-5);
  EXPECT_NEAR(y.value().data[4], 1 - 2 * r / 3, 2e-5);
}

}  // namespace
}  // namespace carousel
