// Element-wise operations, sums and reshape.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/divide.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/gelu.h"
#include "autograd/ops/highway.h"
#include "autograd/ops/log.h"
#include "autograd/ops/mean.h"
#include "autograd/ops/merge_halves.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/softplus.h"
#include "autograd/ops/sum.h"
#include "autograd/ops/tanh.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

using V = BasicVariable<double>;

// Checks a function of one input, with the input as a parameter (its gradient is added to), as an inner value (its
// gradient is overwritten) and used twice.
::testing::AssertionResult check_unary(const std::function<V(V)>& f, const Shape& shape = {3, 5}) {
  auto x = random_parameter("x", shape);
  if (auto direct = check_gradients([&](Tape<double>& tape) { return f(tape.parameter(x)); }, {&x}); !direct) {
    return direct;
  }
  if (auto inner = check_gradients([&](Tape<double>& tape) { return f(scale(tape.parameter(x), 1.25)); }, {&x});
      !inner) {
    return inner << " (inner value)";
  }
  return check_gradients(
      [&](Tape<double>& tape) {
        auto y = scale(tape.parameter(x), 1.25);
        return add(f(y), f(y));
      },
      {&x});
}

::testing::AssertionResult check_binary(const std::function<V(V, V)>& f) {
  auto a = random_parameter("a", {4, 3}), b = random_parameter("b", {4, 3});
  if (auto direct = check_gradients([&](Tape<double>& t) { return f(t.parameter(a), t.parameter(b)); }, {&a, &b});
      !direct) {
    return direct;
  }
  return check_gradients(
      [&](Tape<double>& t) {
        auto inner_a = scale(t.parameter(a), 1.25), inner_b = scale(t.parameter(b), -0.5);
        return add(f(inner_a, inner_b), f(inner_b, inner_b));
      },
      {&a, &b});
}

// Oracle: central differences in double.
TEST(Elementwise, GradientsMatchCentralDifferences) {
  EXPECT_TRUE(check_unary([](V x) { return tanh(x); }));
  EXPECT_TRUE(check_unary([](V x) { return sigmoid(x); }));
  EXPECT_TRUE(check_unary([](V x) { return relu(x); }));
  EXPECT_TRUE(check_unary([](V x) { return gelu(x); }));
  EXPECT_TRUE(check_unary([](V x) { return exp(x); }));
  EXPECT_TRUE(check_unary([](V x) { return softplus(x); }));
  EXPECT_TRUE(check_unary([](V x) { return log(scale(sigmoid(x), 2, 0.1)); }));
  EXPECT_TRUE(check_unary([](V x) { return scale(x, -2.5); }));
  EXPECT_TRUE(check_unary([](V x) { return scale(x, -2.5, 0.75); }));
  EXPECT_TRUE(check_unary([](V x) { return reshape(tanh(x), {5, 1, 3}); }));
  EXPECT_TRUE(check_unary([](V x) { return reshape(x, {15}); }));
  EXPECT_TRUE(check_unary([](V x) { return reshape(sum(tanh(x)), {1}); }));
  EXPECT_TRUE(check_unary([](V x) { return mean(tanh(x)); }));
  EXPECT_TRUE(check_unary([](V x) { return sum(x); }));
  EXPECT_TRUE(check_unary([](V x) { return mean(x); }));
  EXPECT_TRUE(check_binary([](V a, V b) { return add(a, b); }));
  EXPECT_TRUE(check_binary([](V a, V b) { return subtract(a, b); }));
  EXPECT_TRUE(check_binary([](V a, V b) { return multiply(a, b); }));
  EXPECT_TRUE(check_binary([](V a, V b) { return divide(a, scale(sigmoid(b), 1, 0.5)); }));
  EXPECT_TRUE(check_binary([](V a, V b) { return highway(a, b, tanh(a)); }));
  EXPECT_TRUE(check_binary([](V a, V b) { return highway(a, tanh(b), b); }));
  for (const Merge merge : {Merge::kConcat, Merge::kSum, Merge::kMean, Merge::kProduct}) {
    EXPECT_TRUE(check_unary([=](V x) { return merge_halves(x, merge); }, {3, 8}));
  }
}

// Oracle: closed form, worked by hand.
TEST(Elementwise, ValuesMatchTheFormulas) {
  const BasicTensor<double> a({2, 2}, std::vector<double>{1, -2, 3, 0}), b({2, 2}, std::vector<double>{5, 7, -1, 4});
  Tape<double> tape;
  auto x = tape.constant(a.view()), y = tape.constant(b.view());
  const auto expect = [](V got, std::vector<double> expected) {
    ASSERT_EQ(got.value().elements(), static_cast<std::int64_t>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_DOUBLE_EQ(got.value().data[i], expected[i]) << i;
  };
  expect(add(x, y), {6, 5, 2, 4});
  expect(subtract(x, y), {-4, -9, 4, -4});
  expect(multiply(x, y), {5, -14, -3, 0});
  expect(divide(x, y), {0.2, -2.0 / 7, -3, 0});
  expect(merge_halves(y, Merge::kSum), {12, 3});
  expect(merge_halves(y, Merge::kMean), {6, 1.5});
  expect(merge_halves(y, Merge::kProduct), {35, -4});
  expect(merge_halves(y, Merge::kConcat), {5, 7, -1, 4});
  const double open = 1 / (1 + std::exp(-3.0));
  EXPECT_DOUBLE_EQ(highway(x, y, x).value().data[2], -open + (1 - open) * 3);
  EXPECT_DOUBLE_EQ(highway(x, y, x).value().data[3], 2);  // half open between 4 and 0
  expect(scale(x, -3), {-3, 6, -9, 0});
  expect(scale(x, -3, 0.5), {-2.5, 6.5, -8.5, 0.5});
  expect(exp(x), {std::exp(1.0), std::exp(-2.0), std::exp(3.0), 1});
  expect(log(exp(x)), {1, -2, 3, 0});
  expect_near(softplus(x).value().span(),
              std::vector<double>{std::log(1 + std::exp(1.0)), std::log(1 + std::exp(-2.0)),
                                  std::log(1 + std::exp(3.0)), std::log(2.0)},
              1e-15, "softplus");
  expect(relu(x), {1, 0, 3, 0});
  expect(tanh(x), {std::tanh(1.0), std::tanh(-2.0), std::tanh(3.0), 0});
  expect(sigmoid(x), {1 / (1 + std::exp(-1.0)), 1 / (1 + std::exp(2.0)), 1 / (1 + std::exp(-3.0)), 0.5});
  // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 for 1, -2, 3, 0
  const auto form = [](double t) { return t / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (t + 0.044715 * t * t * t))); };
  expect_near(gelu(x).value().span(), std::vector<double>{form(1), form(-2), form(3), 0}, 1e-15, "gelu");
  expect(sum(x), {2});
  expect(mean(y), {3.75});
}

// Oracle: closed form. Large arguments saturate, NaN stays NaN (training looks for it).
TEST(Elementwise, ExtremesNeitherOverflowNorHideNan) {
  const std::vector<float> numbers{1e4f, -1e4f, std::nanf("")};
  const Tensor x({3}, numbers);
  Tape<float> tape;
  auto v = tape.constant(x.view());
  const float* s = sigmoid(v).value().data;
  const float* t = tanh(v).value().data;
  const float* r = relu(v).value().data;
  EXPECT_EQ(s[0], 1);
  EXPECT_EQ(s[1], 0);
  EXPECT_EQ(t[0], 1);
  EXPECT_EQ(t[1], -1);
  EXPECT_EQ(r[1], 0);
  EXPECT_TRUE(std::isnan(s[2]) && std::isnan(t[2]) && std::isnan(r[2]));
  const float* p = softplus(v).value().data;
  EXPECT_EQ(p[0], 1e4f);
  EXPECT_EQ(p[1], 0);
  EXPECT_TRUE(std::isnan(p[2]));
}

// Oracle: the exact sum. 2^24 + 1 is no float, so adding 100000 ones after 2^24 in float would stay at 2^24.
TEST(Elementwise, SumsAreTakenInDouble) {
  Tensor x({100001});
  x.fill(1);
  x[0] = 16777216;
  Tape<float> tape;
  EXPECT_EQ(sum(tape.constant(x.view())).item(), 16877216.0f);
}

// Oracle: the contract in the headers.
TEST(Elementwise, RefusesShapesThatDoNotFit) {
  const BasicTensor<double> a({2, 3}), empty({0, 3});
  Tape<double> tape;
  auto x = tape.constant(a.view());
  EXPECT_THROW(reshape(x, {4, 2}), Error);
  EXPECT_THROW(multiply(x, reshape(x, {3, 2})), Error);
  EXPECT_THROW(divide(x, reshape(x, {3, 2})), Error);
  EXPECT_THROW(mean(tape.constant(empty.view())), Error);
  EXPECT_EQ(sum(tape.constant(empty.view())).item(), 0);
}

}  // namespace
}  // namespace carousel
