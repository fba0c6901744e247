// mse, mae, huber, binary cross entropy, and the public functions of carousel/loss.h.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "autograd/ops/binary_cross_entropy_with_logits.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/huber.h"
#include "autograd/ops/mae.h"
#include "autograd/ops/mse.h"
#include "autograd/ops/scale.h"
#include "carousel/loss.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

const std::vector<double> kPrediction{1, -2, 0.5, 4, 3, 0},
    kTarget{0, 1, 0.25, 4, 5.5, -0.5};  // errors 1 -3 .25 0 -2.5 .5

double loss_of(const std::function<BasicVariable<double>(BasicVariable<double>, View<const double>)>& loss) {
  const BasicTensor<double> p({2, 3}, kPrediction), t({2, 3}, kTarget);
  Tape<double> tape;
  return loss(tape.constant(p.view()), t.view()).item();
}

// Oracle: worked by hand from the errors 1, -3, 0.25, 0, -2.5, 0.5.
TEST(ElementwiseLoss, MatchesNumbersWorkedByHand) {
  EXPECT_DOUBLE_EQ(loss_of([](auto p, auto t) { return mse<double>(p, t); }), (1 + 9 + 0.0625 + 6.25 + 0.25) / 6);
  EXPECT_DOUBLE_EQ(loss_of([](auto p, auto t) { return mae<double>(p, t); }), 7.25 / 6);
  EXPECT_DOUBLE_EQ(loss_of([](auto p, auto t) { return huber<double>(p, t, 1); }),
                   (0.5 + 2.5 + 0.03125 + 0 + 2 + 0.125) / 6);
  EXPECT_DOUBLE_EQ(loss_of([](auto p, auto t) { return huber<double>(p, t, 0.5); }),
                   (0.375 + 1.375 + 0.03125 + 0 + 1.125 + 0.125) / 6);
}

// Oracle: the definition -t log s - (1 - t) log(1 - s) with s from the logistic function, at harmless logits.
TEST(ElementwiseLoss, BinaryCrossEntropyMatchesItsDefinition) {
  const BasicTensor<double> z({4}, std::vector<double>{-2, 0, 1.5, 3}), t({4}, std::vector<double>{0, 1, 0.3, 1});
  double expected = 0;
  for (std::int64_t i = 0; i < 4; ++i) {
    const double s = 1 / (1 + std::exp(-z[i]));
    expected -= (t[i] * std::log(s) + (1 - t[i]) * std::log(1 - s)) / 4;
  }
  Tape<double> tape;
  EXPECT_NEAR(binary_cross_entropy_with_logits<double>(tape.constant(z.view()), t.view()).item(), expected, 1e-15);
}

// Oracle: closed form at the extremes: the loss of a confident mistake is the logit, of a confident hit 0.
TEST(ElementwiseLoss, BinaryCrossEntropyStaysFinite) {
  Parameter z("z", Tensor({2}, std::vector<float>{-800, 800}));
  const Tensor wrong({2}, std::vector<float>{1, 0}), right({2}, std::vector<float>{0, 1});
  Tape<float> tape;
  auto loss = binary_cross_entropy(tape.parameter(z), wrong);
  EXPECT_EQ(loss.item(), 800);
  backward(loss);
  EXPECT_EQ(z.gradient[0], -0.5f);
  EXPECT_EQ(z.gradient[1], 0.5f);
  EXPECT_EQ(binary_cross_entropy(tape.parameter(z), right).item(), 0);
}

// Oracle: central differences in double; the target's memory is gone before the backward pass.
TEST(ElementwiseLoss, GradientsMatchCentralDifferences) {
  auto p = random_parameter("p", {3, 5}, 1.5);
  BasicTensor<double> target({3, 5});
  fill_uniform({4, Purpose::kTest, 0}, 0.0, 1.0, target.span());
  const auto check = [&](auto loss) {
    const auto leaf = check_gradients([&](Tape<double>& t) { return loss(t.parameter(p)); }, {&p});
    if (!leaf) return leaf;
    return check_gradients([&](Tape<double>& t) { return scale(loss(scale(t.parameter(p), 1.25)), -3); }, {&p});
  };
  using V = BasicVariable<double>;
  EXPECT_TRUE(check([&](V v) { return mse<double>(v, BasicTensor<double>(target).view()); }));
  EXPECT_TRUE(check([&](V v) { return mae<double>(v, BasicTensor<double>(target).view()); }));
  EXPECT_TRUE(check([&](V v) { return huber<double>(v, BasicTensor<double>(target).view(), 0.7); }));
  EXPECT_TRUE(
      check([&](V v) { return binary_cross_entropy_with_logits<double>(v, BasicTensor<double>(target).view()); }));
}

// Oracle: the operation underneath, with the labels as a flat list.
TEST(PublicLoss, TakesSequencesOfLogits) {
  Tensor z({3, 2, 4});
  fill_normal({5, Purpose::kTest, 0}, 0.0f, 1.0f, z.span());
  const IdTensor labels({3, 2}, std::vector<std::int32_t>{0, 3, kIgnoredLabel, 1, 2, 2});
  Tape<float> tape;
  auto v = tape.constant(z.view());
  EXPECT_EQ(cross_entropy(v, labels).item(), cross_entropy<float>(v, labels.span()).item());
  EXPECT_THROW(cross_entropy(v, IdTensor({2, 3})), Error);
  EXPECT_THROW(cross_entropy(v, IdTensor({6})), Error);
}

// Oracle: the operations underneath; and the contract for shapes and options.
TEST(PublicLoss, PassesOptionsOn) {
  Tensor p({2, 3}), t({2, 3});
  fill_normal({5, Purpose::kTest, 0}, 0.0f, 2.0f, p.span());
  Tape<float> tape;
  auto v = tape.constant(p.view());
  EXPECT_EQ(mse(v, t).item(), mse<float>(v, t.view()).item());
  EXPECT_EQ(mae(v, t).item(), mae<float>(v, t.view()).item());
  EXPECT_EQ(huber(v, t, 0.25).item(), huber<float>(v, t.view(), 0.25).item());
  EXPECT_NE(huber(v, t, 0.25).item(), huber(v, t).item());
  EXPECT_THROW(huber(v, t, 0), Error);
  EXPECT_THROW(mse(v, Tensor({3, 2})), Error);
  EXPECT_THROW(mse(tape.constant(Tensor().view()), Tensor()), Error);
}

}  // namespace
}  // namespace carousel
