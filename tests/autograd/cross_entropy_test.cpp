#include "autograd/ops/cross_entropy.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "autograd/ops/scale.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

constexpr std::array<std::int32_t, 5> kLabels{2, 0, kIgnoredLabel, 3, 2};
constexpr std::array<float, 4> kClassWeights{0.5f, 3.0f, 1.25f, 2.0f};

// The definition, without any care for overflow or speed: log p from p = exp(z) / sum exp(z).
double definition(const BasicTensor<double>& z, std::span<const std::int32_t> labels, double smoothing,
                  std::span<const float> weights) {
  const std::int64_t classes = z.shape()[1];
  double loss = 0, weight_of_rows = 0;
  for (std::int64_t row = 0; row < z.shape()[0]; ++row) {
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    if (label < 0) continue;
    double total = 0;
    for (std::int64_t k = 0; k < classes; ++k) total += std::exp(z[row * classes + k]);
    for (std::int64_t k = 0; k < classes; ++k) {
      const double w = weights.empty() ? 1.0 : static_cast<double>(weights[static_cast<std::size_t>(k)]);
      const double target = (k == label ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
      loss -= w * target * std::log(std::exp(z[row * classes + k]) / total);
      if (k == label) weight_of_rows += w;
    }
  }
  return loss / weight_of_rows;
}

// Oracle: worked by hand. Logits log 1, log 2, log 5 give p = 1/8, 2/8, 5/8.
TEST(CrossEntropy, MatchesNumbersWorkedByHand) {
  BasicParameter<double> z("z", BasicTensor<double>({2, 3}));
  const double odds[] = {1, 2, 5, 5, 1, 2};
  for (std::int64_t i = 0; i < 6; ++i) z.value[i] = std::log(odds[i]);
  const std::array<std::int32_t, 2> labels{1, 0};
  Tape<double> tape;
  auto loss = cross_entropy<double>(tape.parameter(z), labels);
  EXPECT_EQ(loss.shape().rank(), 0);
  EXPECT_NEAR(loss.item(), (std::log(4.0) + std::log(1.6)) / 2, 1e-15);
  tape.backward(loss);
  const double expected[] = {1, 2 - 8, 5, 5 - 8, 1, 2};  // (p - y) / 2 in units of 1/16
  for (std::int64_t i = 0; i < 6; ++i) EXPECT_NEAR(z.gradient[i], expected[i] / 16, 1e-16) << i;
}

// Oracle: the definition above, computed independently, for every combination of options; then central differences.
TEST(CrossEntropy, MatchesTheDefinitionWithEveryOption) {
  auto z = random_parameter("z", {5, 4}, 2.0);
  for (const double smoothing : {0.0, 0.3}) {
    for (const bool weighted : {false, true}) {
      CrossEntropyOptions options{smoothing, {}};
      if (weighted) options.class_weights = kClassWeights;
      Tape<double> tape;
      const double loss = cross_entropy<double>(tape.parameter(z), kLabels, options).item();
      EXPECT_NEAR(loss, definition(z.value, kLabels, smoothing, options.class_weights), 1e-14);
      EXPECT_TRUE(check_gradients(
          [&](Tape<double>& t) { return cross_entropy<double>(t.parameter(z), kLabels, options); }, {&z}));
      EXPECT_TRUE(check_gradients(
          [&](Tape<double>& t) {
            return scale(cross_entropy<double>(scale(t.parameter(z), 1.5), kLabels, options), -2);
          },
          {&z}));
    }
  }
}

// Oracle: closed form. Logits 1000 and more overflow exp in float; the loss is still the difference of the logits.
TEST(CrossEntropy, StaysFiniteForHugeLogits) {
  Parameter z("z", Tensor({1, 3}, std::vector<float>{2000, 1000, -3000}));
  Tape<float> tape;
  auto loss = cross_entropy<float>(tape.parameter(z), std::array<std::int32_t, 1>{1});
  EXPECT_EQ(loss.item(), 1000);
  tape.backward(loss);
  EXPECT_EQ(z.gradient[0], 1);
  EXPECT_EQ(z.gradient[1], -1);
  EXPECT_EQ(z.gradient[2], 0);
}

// Oracle: the contract. NaN in the logits reaches the loss and the gradient: training must be able to see it.
TEST(CrossEntropy, PassesNanOn) {
  for (int place = 0; place < 3; ++place) {
    Parameter z("z", Tensor({1, 3}));
    z.value[place] = std::nanf("");
    Tape<float> tape;
    auto loss = cross_entropy<float>(tape.parameter(z), std::array<std::int32_t, 1>{1});
    EXPECT_TRUE(std::isnan(loss.item())) << place;
    tape.backward(loss);
    EXPECT_TRUE(std::isnan(z.gradient[0])) << place;
  }
}

// Oracle: the contract. No row that counts: loss 0 and gradient 0, not NaN.
TEST(CrossEntropy, IsZeroIfEveryRowIsIgnored) {
  auto z = random_parameter("z", {2, 3});
  Tape<double> tape;
  auto loss = cross_entropy<double>(tape.parameter(z), std::array<std::int32_t, 2>{kIgnoredLabel, kIgnoredLabel});
  EXPECT_EQ(loss.item(), 0);
  tape.backward(loss);
  for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(z.gradient[i], 0) << i;
}

// Oracle: the contract in the headers.
TEST(CrossEntropy, NamesWhatDoesNotFit) {
  const BasicTensor<double> z({2, 3});
  Tape<double> tape;
  auto v = tape.constant(z.view());
  const auto message = [&](std::vector<std::int32_t> labels, CrossEntropyOptions options) {
    try {
      cross_entropy<double>(v, labels, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUsage);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message({0, 3}, {}), "cross_entropy: row 1 has label 3, expected 0 .. 2 (or -1: ignored)");
  EXPECT_EQ(message({0}, {}), "cross_entropy: 1 labels for logits of shape [2, 3], expected one per row");
  EXPECT_EQ(message({0, 1}, {0, kClassWeights}), "cross_entropy: 4 class weights for 3 classes");
  EXPECT_EQ(message({0, 1}, {1, {}}), "cross_entropy: label_smoothing is 1, expected at least 0 and less than 1");
}

}  // namespace
}  // namespace carousel
