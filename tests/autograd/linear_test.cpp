#include "autograd/ops/linear.h"

#include <gtest/gtest.h>

#include "autograd/ops/add.h"
#include "autograd/ops/tanh.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

// Oracle: worked by hand.
TEST(Linear, MultipliesByTheTransposedWeightAndAddsTheBias) {
  const BasicTensor<double> x({2, 3}, std::vector<double>{1, 2, 3, -1, 0, 4});
  const BasicTensor<double> w({2, 3}, std::vector<double>{1, 0, -1, 2, 5, 1}), b({2}, std::vector<double>{10, 20});
  Tape<double> tape;
  auto y = linear(tape.constant(x.view()), tape.constant(w.view()), tape.constant(b.view()));
  ASSERT_EQ(y.shape(), (Shape{2, 2}));
  const double expected[] = {8, 35, 5, 22};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(y.value().data[i], expected[i]) << i;
}

// Oracle: central differences in double; leaf inputs (added to), inner inputs (overwritten), the weight used twice.
TEST(Linear, GradientsMatchCentralDifferences) {
  auto x = random_parameter("x", {3, 2, 5}), w = random_parameter("w", {4, 5}), b = random_parameter("b", {4});
  EXPECT_TRUE(check_gradients([&](Tape<double>& t) { return linear(t.parameter(x), t.parameter(w), t.parameter(b)); },
                              {&x, &w, &b}));
  EXPECT_TRUE(check_gradients([&](Tape<double>& t) { return linear(t.parameter(x), t.parameter(w)); }, {&x, &w}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        auto in = tanh(t.parameter(x)), weight = tanh(t.parameter(w)), bias = tanh(t.parameter(b));
        return add(linear(in, weight, bias), tanh(linear(in, weight, bias)));
      },
      {&x, &w, &b}));
}

// Oracle: the contract in linear.h.
TEST(Linear, NamesTheShapesThatDoNotFit) {
  const BasicTensor<double> x({2, 3}), w({4, 5}), good({4, 3}), b({3});
  Tape<double> tape;
  auto v = tape.constant(x.view());
  try {
    linear(v, tape.constant(w.view()));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUsage);
    EXPECT_STREQ(error.what(),
                 "linear: the input has shape [2, 3], the weight [4, 5]; expected [..., in] and [out, in]");
  }
  EXPECT_THROW(linear(v, tape.constant(good.view()), tape.constant(b.view())), Error);
}

}  // namespace
}  // namespace carousel
