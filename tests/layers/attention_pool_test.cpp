// Oracles: the formula written out in loops; central differences; the same samples in another order, with other
// padding, in another batch.
#include "layers/attention/attention_pool.h"

#include <gtest/gtest.h>

#include <cmath>

#include "carousel/attention.h"
#include "tests/layers/attention_case.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

using attention_case::Lengths;

constexpr std::int64_t T = 5, N = 4, C = 3, A = 2;
const Lengths kLengths{2, 5, 0, 3};

// The value of sample n and the weights of its steps, from the padded form [T, N, C].
std::vector<double> by_formula(AttentionPool& pool, const Tensor& x, std::int64_t n, std::vector<double>& weights) {
  const std::int64_t length = kLengths[static_cast<std::size_t>(n)];
  double sum = 0;
  for (std::int64_t t = 0; t < length; ++t) {
    double score = 0;
    for (std::int64_t a = 0; a < A; ++a) {
      double unit = pool.bias.value[a];
      for (std::int64_t c = 0; c < C; ++c) unit += pool.weight.value[a * C + c] * x[(t * N + n) * C + c];
      score += pool.vector.value[a] * std::tanh(unit);
    }
    weights.push_back(std::exp(score));
    sum += weights.back();
  }
  std::vector<double> y(C, 0.0);
  for (std::int64_t t = 0; t < length; ++t) {
    weights[static_cast<std::size_t>(t)] /= sum;
    for (std::int64_t c = 0; c < C; ++c) {
      y[static_cast<std::size_t>(c)] += weights[static_cast<std::size_t>(t)] * x[(t * N + n) * C + c];
    }
  }
  return y;
}

AttentionPool random_pool() {
  AttentionPool pool(C, A);
  pool.weight.value = random_tensor({A, C}, 2);
  pool.bias.value = random_tensor({A}, 3);
  pool.vector.value = random_tensor({A}, 4);
  return pool;
}

TEST(AttentionPool, IsTheFormulaAndPaddingHasWeightZero) {
  const Tensor x = random_tensor({T, N, C}, 1);
  AttentionPool reference = random_pool();
  Sequential net{random_pool()};
  std::vector<Tensor> alignments;
  const Tensor noisy = attention_case::with_noise(x, kLengths);
  const Tensor y = net.predict({.values = &noisy, .lengths = kLengths, .alignments = &alignments});
  ASSERT_EQ(1u, alignments.size());
  ASSERT_EQ((Shape{N, T}), alignments[0].shape());
  for (std::int64_t n = 0; n < N; ++n) {
    std::vector<double> weights;
    const std::vector<double> expected = by_formula(reference, x, n, weights);
    for (std::int64_t c = 0; c < C; ++c) EXPECT_NEAR(expected[static_cast<std::size_t>(c)], y[n * C + c], 1e-6);
    weights.resize(static_cast<std::size_t>(T));  // zeros behind the end
    for (std::int64_t t = 0; t < T; ++t) {
      EXPECT_NEAR(weights[static_cast<std::size_t>(t)], alignments[0][n * T + t], 1e-6) << n << " " << t;
    }
  }
}

TEST(AttentionPool, ABatchWithoutAnyStepGivesZeros) {
  Sequential net{random_pool()};
  const Tensor x = random_tensor({2, 3, C}, 1);
  const std::vector<std::int32_t> none{0, 0, 0};
  expect_near(net.predict(x, none), Tensor({3, C}), 0, "nothing to look at");
}

TEST(AttentionPool, PermutedStepsHavePermutedWeightsAndTheSameSum) {
  Sequential net{random_pool()};
  const Tensor x = random_tensor({T, 1, C}, 1);
  const std::int64_t order[] = {3, 0, 4, 2, 1};
  Tensor permuted(x.shape());
  for (std::int64_t t = 0; t < T; ++t) std::copy_n(x.data() + order[t] * C, C, permuted.data() + t * C);
  std::vector<Tensor> before, after;
  const Tensor y = net.predict({.values = &x, .alignments = &before});
  expect_near(net.predict({.values = &permuted, .alignments = &after}), y, 1e-6, "sum");
  for (std::int64_t t = 0; t < T; ++t) EXPECT_NEAR(before[0][order[t]], after[0][t], 1e-6) << t;
}

TEST(AttentionPool, GradientsEqualCentralDifferences) {
  const SequenceLayout layout(T, kLengths);
  auto x = random_parameter("x", {layout.rows(), C});
  auto weight = random_parameter("weight", {A, C}), bias = random_parameter("bias", {A});
  auto vector = random_parameter("vector", {A});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& tape) {
        return attention_pool<double>(
                   {&layout, tape.parameter(x), tape.parameter(weight), tape.parameter(bias), tape.parameter(vector)})
            .output;
      },
      {&x, &weight, &bias, &vector}));
}

TEST(AttentionPool, RefusesSizesAndPooledRows) {
  expect_error(Code::kUsage, {"attention_pool: input_size 0 and attention_size 2"}, [] { AttentionPool(0, 2); });
  const Tensor x = random_tensor({T, N, C}, 1);
  Sequential twice{Pool{"mean"}, AttentionPool{C, A}};
  expect_error(Code::kUsage, {"already gives one row per sample"}, [&] { twice.predict(x); });
  Sequential other{AttentionPool{C + 1, A}};
  expect_error(Code::kUsage, {"[2, 4]"}, [&] { other.predict(x); });
}

}  // namespace
}  // namespace carousel
