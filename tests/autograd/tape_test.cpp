// The tape itself: who gets which gradient, what ends when, and what is refused.
#include "autograd/tape.h"

#include <gtest/gtest.h>

#include "autograd/ops/add.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

// Oracle: closed form. L = sum(w x), so dL/dw = x and dL/dx = w.
TEST(Tape, GivesEachLeafItsOwnGradient) {
  BasicParameter<double> w("w", BasicTensor<double>({3}, std::vector<double>{2, -3, 5}));
  const BasicTensor<double> x({3}, std::vector<double>{7, 11, -13}), c({3}, std::vector<double>{1, 2, 3});
  Tape<double> tape;
  auto watched = tape.input(x.view());
  auto constant = tape.constant(c.view());
  auto loss = sum(add(multiply(tape.parameter(w), watched), constant));
  EXPECT_EQ(loss.item(), 14 - 33 - 65 + 6);
  tape.backward(loss);
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(w.gradient[i], x[i]);
    EXPECT_EQ(watched.gradient().data[i], w.value[i]);
  }
  expect_error(Code::kUsage, {"no gradient"}, [&] { constant.gradient(); });
}

// Oracle: the promise of autograd.h. A tape that records nothing asks for no gradient.
TEST(Tape, MakesGradientsOnlyToRecord) {
  BasicParameter<double> w("w", BasicTensor<double>({3}));
  Tape<double> tape;
  tape.set_recording(false);
  tape.parameter(w);
  EXPECT_EQ(w.gradient.elements(), 0);
  tape.reset();
  tape.set_recording(true);
  tape.parameter(w);
  EXPECT_EQ(w.gradient.shape(), w.value.shape());
}

// Oracle: closed form. Two passes without zeroing add up; a parameter used twice in one pass gets both shares.
TEST(Tape, AddsToTheGradientOfAParameter) {
  BasicParameter<double> w("w", BasicTensor<double>({2}, std::vector<double>{3, -4}));
  Tape<double> tape;
  for (int pass = 1; pass <= 2; ++pass) {
    auto v = tape.parameter(w);
    tape.backward(sum(add(multiply(v, v), scale(tape.parameter(w), 5))));  // 2 w + 5
    EXPECT_EQ(w.gradient[0], pass * 11.0);
    EXPECT_EQ(w.gradient[1], pass * -3.0);
    tape.reset();
  }
}

// Oracle: closed form. y is used by three operations: its gradient is the sum of three shares.
TEST(Tape, SumsTheSharesOfAValueUsedOften) {
  const BasicTensor<double> x({2}, std::vector<double>{1, 2});
  Tape<double> tape;
  auto watched = tape.input(x.view());
  auto y = scale(watched, 2);
  tape.backward(sum(add(add(multiply(y, y), scale(y, 3)), y)));  // dy = 2 y + 4, dx = 2 dy = 8 x + 8
  EXPECT_EQ(watched.gradient().data[0], 16);
  EXPECT_EQ(watched.gradient().data[1], 24);
}

// Oracle: the contract in tape.h.
TEST(Tape, RefusesWhatItsContractForbids) {
  BasicParameter<double> w("w", BasicTensor<double>({2}, std::vector<double>{1, 2}));
  const BasicTensor<double> x({2}, std::vector<double>{1, 2});
  Tape<double> tape, other;
  auto v = tape.parameter(w);
  expect_error(Code::kUsage, {"one element"}, [&] { tape.backward(v); });
  expect_error(Code::kUsage, {"one element"}, [&] { tape.backward({}); });
  expect_error(Code::kUsage, {"[2]"}, [&] { v.item(); });
  expect_error(Code::kUsage, {"no parameter"}, [&] { tape.backward(sum(tape.constant(x.view()))); });
  expect_error(Code::kUsage, {"different tapes"}, [&] { add(v, other.input(x.view())); });
  expect_error(Code::kUsage, {"[1, 2]"}, [&] { add(v, tape.constant({x.data(), {1, 2}})); });
  expect_error(Code::kUsage, {"empty"}, [&] { BasicVariable<double>().value(); });
  auto loss = sum(v);
  tape.backward(loss);
  expect_error(Code::kUsage, {"twice"}, [&] { tape.backward(loss); });
  tape.reset();
  expect_error(Code::kUsage, {"reset"}, [&] { loss.item(); });
}

// Oracle: the contract in tape.h. Without recording no gradient is asked for, and the value is the same.
TEST(Tape, ComputesTheSameValueWithoutRecording) {
  BasicParameter<double> w("w", BasicTensor<double>({2}, std::vector<double>{1.5, 2}));
  Tape<double> tape;
  tape.set_recording(false);
  auto loss = sum(multiply(tape.parameter(w), tape.parameter(w)));
  EXPECT_EQ(loss.item(), 1.5 * 1.5 + 4);
  EXPECT_FALSE(loss.node()->needs_gradient);
  expect_error(Code::kUsage, {"no parameter"}, [&] { tape.backward(loss); });
}

// Oracle: the count of allocations. The arena keeps its memory from pass to pass.
TEST(Tape, AllocatesNothingAfterTheFirstPass) {
  BasicParameter<double> w("w", BasicTensor<double>({50, 40}));
  Tape<double> tape;
  const auto pass = [&] {
    tape.reset();
    auto v = tape.parameter(w);
    tape.backward(sum(multiply(v, scale(reshape(v, {50, 40}), 3))));
  };
  pass();
  const AllocationCounter counter;
  for (int i = 0; i < 5; ++i) pass();
  EXPECT_EQ(counter.count(), 0);
}

// Oracle: the check itself must go red. An operation with the wrong sign is caught and its place is named.
TEST(GradientCheck, NamesTensorIndexAndBothValuesOfAWrongGradient) {
  struct WrongNode final : Node<double> {
    Node<double>* x;
    void backward() override {
      const GradientTarget<double> target = x->claim_gradient();
      target.data[0] = gradient[0] + target.beta * target.data[0];
      target.data[1] = target.beta * target.data[1] - gradient[1];
    }
  };
  auto x = random_parameter("x", {2});
  const auto result = check_gradients(
      [&](Tape<double>& tape) {
        auto in = tape.parameter(x);
        auto* node = tape.record<WrongNode>(Shape{2}, true);
        node->x = in.node();
        for (std::int64_t i = 0; i < 2; ++i) node->data()[i] = x.value[i];
        return BasicVariable<double>(node);
      },
      {&x});
  ASSERT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("'x' [2] at index 1: analytic"), std::string::npos) << result.message();
}

// Oracle: the check itself must go red. A claimed gradient that is not written holds NaN.
TEST(GradientCheck, FindsAClaimedGradientThatIsNotWritten) {
  struct LazyNode final : Node<double> {
    Node<double>* x;
    void backward() override { x->claim_gradient().data[0] = gradient[0]; }
  };
  auto x = random_parameter("x", {2});
  EXPECT_FALSE(check_gradients(
      [&](Tape<double>& tape) {
        auto in = scale(tape.parameter(x), 1);
        auto* node = tape.record<LazyNode>(Shape{2}, true);
        node->x = in.node();
        for (std::int64_t i = 0; i < 2; ++i) node->data()[i] = x.value[i];
        return BasicVariable<double>(node);
      },
      {&x}));
}

}  // namespace
}  // namespace carousel
