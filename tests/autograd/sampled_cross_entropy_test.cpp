// Oracles: the definition worked out class by class, the full softmax where there are many draws, central differences.
#include "autograd/ops/sampled_cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/linear_cross_entropy.h"
#include "tests/support/expect_error.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

constexpr RandomKey kKey{5, Purpose::kTest, 2};
const std::vector<std::int32_t> kLabels{0, 5, 2, 0};

TEST(SampledCrossEntropy, ProposesEveryClassWithItsProbability) {
  double sum = 0;
  for (std::int64_t k = 0; k < 6; ++k) sum += log_uniform_probability(k, 6);
  EXPECT_NEAR(sum, 1, 1e-14);
  EXPECT_NEAR(log_uniform_probability(1, 6), std::log(1.5) / std::log(7), 1e-15);
}

// One draw: which class it is shows in the loss, which is then log(1 + exp(z_other - z_label)), or 0 for a hit.
TEST(SampledCrossEntropy, OneDrawIsATwoClassSoftmaxWithCorrectedScores) {
  auto x = random_parameter("x", {1, 3}), w = random_parameter("w", {6, 3}), b = random_parameter("b", {6});
  const auto score = [&](std::int64_t k) {
    double z = b.value[k] - (k == 2 ? 0 : std::log(log_uniform_probability(k, 6)));  // 2 is the label
    for (std::int64_t j = 0; j < 3; ++j) z += x.value[j] * w.value[k * 3 + j];
    return z;
  };
  int hits = 0;
  std::vector<bool> drawn(6);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Tape<double> tape;
    const std::int32_t label[] = {2};
    const double loss = sampled_cross_entropy<double>(tape.parameter(x), tape.parameter(w), tape.parameter(b), label, 1,
                                                      {seed, Purpose::kTest, 1})
                            .item();
    bool found = false;
    for (std::int64_t k = 0; k < 6; ++k) {
      const double expected = k == 2 ? 0 : std::log1p(std::exp(score(k) - score(2)));
      if (std::abs(loss - expected) > 1e-12) continue;
      found = drawn[static_cast<std::size_t>(k)] = true;
      hits += k == 2 ? 1 : 0;
    }
    EXPECT_TRUE(found) << seed << ": " << loss;
  }
  EXPECT_GT(hits, 0);
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), true), 6);
}

TEST(SampledCrossEntropy, ManyDrawsComeNearTheFullSoftmax) {
  auto x = random_parameter("x", {4, 3}), w = random_parameter("w", {6, 3}), b = random_parameter("b", {6});
  Tape<double> tape;
  const auto X = tape.parameter(x), W = tape.parameter(w), B = tape.parameter(b);
  const double full = linear_cross_entropy<double>(X, W, B, kLabels).item();
  EXPECT_NEAR(sampled_cross_entropy<double>(X, W, B, kLabels, 100000, kKey).item(), full, 0.01 * full);
}

TEST(SampledCrossEntropy, PassesCentralDifferences) {
  auto x = random_parameter("x", {4, 3}), w = random_parameter("w", {6, 3}), b = random_parameter("b", {6});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& tape) {
        return sampled_cross_entropy<double>(tape.parameter(x), tape.parameter(w), tape.parameter(b), kLabels, 5, kKey);
      },
      {&x, &w, &b}));
}

TEST(SampledCrossEntropy, NamesWhatDoesNotFit) {
  auto x = random_parameter("x", {1, 3}), w = random_parameter("w", {6, 3}), b = random_parameter("b", {6});
  Tape<double> tape;
  const auto run = [&](std::vector<std::int32_t> labels, std::int64_t draws) {
    sampled_cross_entropy<double>(tape.parameter(x), tape.parameter(w), tape.parameter(b), labels, draws, kKey);
  };
  expect_error(Code::kUsage, {"2 labels", "1 rows"}, [&] { run({0, 1}, 3); });
  expect_error(Code::kUsage, {"0 draws"}, [&] { run({0}, 0); });
  expect_error(Code::kUsage, {"label 6", "0 .. 5"}, [&] { run({6}, 3); });
}

}  // namespace
}  // namespace carousel
