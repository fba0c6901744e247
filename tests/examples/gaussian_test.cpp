// Oracles: integrals over a fine grid in double; moments of the normal distribution.
#include "examples/generative/gaussian.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

using generative::Gaussian;

constexpr std::int64_t kRows = 3, kSize = 2;

double log_density(double z, double mean, double log_variance) {
  const double apart = z - mean;
  return -0.5 * (std::log(2 * std::numbers::pi) + log_variance + apart * apart * std::exp(-log_variance));
}

struct Case {
  Tensor q = random_tensor({kRows, 2 * kSize}, 1), p = random_tensor({kRows, 2 * kSize}, 2);
  double at(const Tensor& tensor, std::int64_t row, std::int64_t column) const {
    return static_cast<double>(tensor[row * 2 * kSize + column]);
  }
};

// The integral of q log(q / p) for each number by itself, added up: the numbers of a row are independent.
TEST(Gaussian, DivergenceIsTheIntegralOfTheLogRatio) {
  const Case c;
  Graph graph;
  const Variable got =
      divergence(generative::split_gaussian(graph.input(c.q)), generative::split_gaussian(graph.input(c.p)));
  ASSERT_EQ(got.shape(), Shape{kRows});
  for (std::int64_t row = 0; row < kRows; ++row) {
    double integral = 0;
    constexpr double kStep = 1e-3, kEnd = 30;
    for (std::int64_t j = 0; j < kSize; ++j) {
      for (double z = -kEnd; z < kEnd; z += kStep) {
        const double q = log_density(z, c.at(c.q, row, j), c.at(c.q, row, kSize + j));
        integral += kStep * std::exp(q) * (q - log_density(z, c.at(c.p, row, j), c.at(c.p, row, kSize + j)));
      }
    }
    EXPECT_NEAR(static_cast<double>(got.value().data[row]), integral, 1e-5 * (1 + integral)) << row;
    EXPECT_GT(got.value().data[row], 0);
  }
}

TEST(Gaussian, DivergenceOfEqualsIsZero) {
  const Case c;
  Graph graph;
  const Gaussian q = generative::split_gaussian(graph.input(c.q));
  for (const float value : divergence(q, q).value().span()) EXPECT_NEAR(value, 0, 1e-6f);
}

TEST(Gaussian, LogRatioIsThatOfTheDensities) {
  const Case c;
  const Tensor at = random_tensor({kRows, kSize}, 3);
  Graph graph;
  const Variable got = log_ratio(generative::split_gaussian(graph.input(c.q)),
                                 generative::split_gaussian(graph.input(c.p)), graph.input(at));
  for (std::int64_t row = 0; row < kRows; ++row) {
    double expected = 0;
    for (std::int64_t j = 0; j < kSize; ++j) {
      const auto z = static_cast<double>(at[row * kSize + j]);
      expected += log_density(z, c.at(c.q, row, j), c.at(c.q, row, kSize + j)) -
                  log_density(z, c.at(c.p, row, j), c.at(c.p, row, kSize + j));
    }
    EXPECT_NEAR(static_cast<double>(got.value().data[row]), expected, 1e-5 * (1 + std::abs(expected))) << row;
  }
}

// Mean and variance of many samples, within 4 standard errors; gradients of their sum reach both: 1 for each mean, half
// the noise's part for each logarithm of a variance.
TEST(Gaussian, SamplesHaveMeanAndVarianceAndPassGradientsOn) {
  constexpr std::int64_t kCount = 20000;
  Tensor both({kCount, 2});
  for (std::int64_t i = 0; i < kCount; ++i) both[2 * i] = 1.5f, both[2 * i + 1] = std::log(4.0f);
  Parameter columns("columns", both);
  Graph graph;
  const Variable z = draw_sample(graph, generative::split_gaussian(graph.parameter(columns)));
  double sum_of = 0, squares = 0;
  for (const float value : z.value().span()) {
    sum_of += static_cast<double>(value);
    squares += (static_cast<double>(value) - 1.5) * (static_cast<double>(value) - 1.5);
  }
  EXPECT_NEAR(sum_of / kCount, 1.5, 4 * 2 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 4, 4 * 4 * std::sqrt(2.0 / kCount));
  backward(sum(z));
  for (std::int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(columns.gradient[2 * i], 1);
    EXPECT_NEAR(columns.gradient[2 * i + 1], 0.5f * (z.value().data[i] - 1.5f), 1e-5f);
  }
}

}  // namespace
}  // namespace carousel
