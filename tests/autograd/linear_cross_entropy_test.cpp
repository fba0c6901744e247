// Oracles: the two operations that it joins, linear and cross_entropy, in double; central differences.
#include "autograd/ops/linear_cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/scale.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

std::vector<std::int32_t> labels_for(std::int64_t rows, std::int64_t classes) {
  std::vector<std::int32_t> labels;
  for (std::int64_t r = 0; r < rows; ++r) labels.push_back(static_cast<std::int32_t>((r * 5 + 2) % classes));
  labels[1] = kIgnoredLabel;
  return labels;
}

// The loss is scaled, so that a gradient which ignores what comes in from above would fail. Three chunks of rows, the
// last one short.
TEST(LinearCrossEntropy, EqualsLinearAndCrossEntropyInValueAndGradients) {
  const std::int64_t rows = 2 * kLossRows + 3;
  const auto labels = labels_for(rows, 7);
  for (const bool biased : {true, false}) {
    auto x = random_parameter("x", {rows, 3}), w = random_parameter("w", {7, 3}), b = random_parameter("b", {7});
    Tape<double> one;
    auto logits = linear(one.parameter(x), one.parameter(w), biased ? one.parameter(b) : BasicVariable<double>());
    auto expected = scale(cross_entropy<double>(logits, labels), -2.5);
    one.backward(expected);
    const auto dx = x.gradient, dw = w.gradient, db = b.gradient;
    for (auto* parameter : {&x, &w, &b}) parameter->gradient.fill(0);
    Tape<double> two;
    auto joined = linear_cross_entropy<double>(two.parameter(x), two.parameter(w),
                                               biased ? two.parameter(b) : BasicVariable<double>(), labels);
    auto got = scale(joined, -2.5);
    two.backward(got);
    EXPECT_NEAR(got.item(), expected.item(), 1e-13);
    expect_near(x.gradient, dx, 1e-14, "dx");
    expect_near(w.gradient, dw, 1e-13, "dW");
    if (biased) expect_near(b.gradient, db, 1e-13, "db");
  }
}

TEST(LinearCrossEntropy, GivesTheLossOfEveryRow) {
  auto x = random_parameter("x", {4, 3}), w = random_parameter("w", {5, 3});
  const std::vector<std::int32_t> labels{4, kIgnoredLabel, 0, 2};
  std::vector<double> losses(4);
  Tape<double> tape;
  const auto all = linear_cross_entropy<double>(tape.parameter(x), tape.parameter(w), {}, labels, losses);
  double sum = 0;
  for (std::size_t r = 0; r < 4; ++r) {
    const BasicTensor<double> row({1, 3}, std::span(x.value.data() + r * 3, 3));
    Tape<double> alone;
    const auto logits = linear(alone.constant(row.view()), alone.parameter(w));
    const double loss = cross_entropy<double>(logits, std::span(labels).subspan(r, 1)).item();
    EXPECT_NEAR(losses[r], loss, 1e-14) << r;
    sum += loss;
  }
  EXPECT_NEAR(all.item(), sum / 3, 1e-14);
}

TEST(LinearCrossEntropy, PassesCentralDifferences) {
  auto x = random_parameter("x", {6, 3}), w = random_parameter("w", {4, 3}), b = random_parameter("b", {4});
  const auto labels = labels_for(6, 4);
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& tape) {
        return linear_cross_entropy<double>(tape.parameter(x), tape.parameter(w), tape.parameter(b), labels);
      },
      {&x, &w, &b}));
}

// Tied embeddings: one table before and behind.
TEST(LinearCrossEntropy, ATableThatIsAlsoTheWeightGetsTheGradientOfBothUses) {
  auto table = random_parameter("table", {5, 3});
  const std::vector<std::int32_t> ids{0, 3, 3, 1}, labels{3, 3, 1, 4};
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& tape) {
        const auto rows = embedding<double>(tape.parameter(table), ids);
        return linear_cross_entropy<double>(rows, tape.parameter(table), {}, labels);
      },
      {&table}));
}

TEST(LinearCrossEntropy, NamesWhatDoesNotFit) {
  auto x = random_parameter("x", {2, 3}), w = random_parameter("w", {4, 3}), wide = random_parameter("w", {4, 2});
  Tape<double> tape;
  const auto run = [&](BasicParameter<double>& weight, std::vector<std::int32_t> labels) {
    linear_cross_entropy<double>(tape.parameter(x), tape.parameter(weight), {}, labels);
  };
  expect_error(Code::kUsage, {"[2, 3]", "[4, 2]"}, [&] { run(wide, {0, 1}); });
  expect_error(Code::kUsage, {"3 labels", "2 rows"}, [&] { run(w, {0, 1, 2}); });
  expect_error(Code::kUsage, {"row 1", "label 4", "0 .. 3"}, [&] { run(w, {0, 4}); });
}

}  // namespace
}  // namespace carousel
