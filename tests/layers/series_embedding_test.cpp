// Oracles: the rows written out by hand; central differences of a loss that is linear in the vectors, so that they are
// exact; one mask for all steps of a sample; the description built again.
#include "layers/tokens/series_embedding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "autograd/tape.h"
#include "carousel/loss.h"
#include "carousel/operations.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

constexpr std::int64_t T = 3, N = 4, C = 3, S = 5, E = 2;

// Column 2 is the number of the series: 4, -1 (unknown), 0 and 7 (there are 5).
Tensor rows() {
  constexpr float kNumbers[N] = {4, -1, 0, 7};
  Tensor x({T, N, C});
  for (std::int64_t i = 0; i < T * N; ++i) {
    x[i * C] = static_cast<float>(i);
    x[i * C + 1] = static_cast<float>(-2 * i);
    x[i * C + 2] = kNumbers[i % N];
  }
  return x;
}

Sequential with_vectors(double dropout = 0) {
  Sequential network;
  network.add("series", std::make_unique<SeriesEmbedding>(S, E, dropout));
  Tensor& table = network.parameters()[0]->value;
  for (std::int64_t i = 0; i < S * E; ++i) table[i] = static_cast<float>(1 + i * i);
  return network;
}

TEST(SeriesEmbedding, PutsTheVectorOfTheSeriesInThePlaceOfItsNumberAndTheMeanForAnUnknownOne) {
  Sequential network = with_vectors();
  const Tensor y = network.predict(rows());
  ASSERT_EQ((Shape{T, N, C - 1 + E}), y.shape());
  constexpr float kVectors[N][E] = {{65, 82}, {25, 34}, {1, 2}, {25, 34}};  // means of 1 5 17 37 65 and 2 10 26 50 82
  for (std::int64_t i = 0; i < T * N; ++i) {
    EXPECT_EQ(y[i * 4], static_cast<float>(i));
    EXPECT_EQ(y[i * 4 + 1], static_cast<float>(-2 * i));
    EXPECT_EQ(y[i * 4 + 2], kVectors[i % N][0]) << i;
    EXPECT_EQ(y[i * 4 + 3], kVectors[i % N][1]) << i;
  }
}

TEST(SeriesEmbedding, GradientsAreCentralDifferencesWhereNoSeriesIsUnknown) {
  Sequential network = with_vectors();
  Tensor x = rows(), weights({T, N, C - 1 + E});
  for (std::int64_t i = 0; i < T * N; ++i) x[i * C + 2] = static_cast<float>(i % N == 1 ? 3 : i % N == 3 ? 0 : i % N);
  for (std::int64_t i = 0; i < weights.elements(); ++i) weights[i] = static_cast<float>(std::sin(0.7 * double(i)));
  const auto loss = [&] {
    const Variable y = network(x);
    return sum(multiply(y, y.tape().constant(std::as_const(weights).view())));
  };
  backward(loss());
  Parameter& table = *network.parameters()[0];
  for (std::int64_t i = 0; i < S * E; ++i) {
    const float before = table.value[i];
    table.value[i] = before + 1;
    const double above = loss().item();
    table.value[i] = before - 1;
    const double below = loss().item();
    table.value[i] = before;
    EXPECT_NEAR(table.gradient[i], (above - below) / 2, 1e-4) << i;
  }
  EXPECT_EQ(table.gradient[2 * 1], 0) << "no row is of series 1";
  EXPECT_NE(table.gradient[0], 0);
}

TEST(SeriesEmbedding, DropsTheSameNumbersAtEveryStepOfASampleAndNothingElse) {
  Sequential network = with_vectors(0.5);
  const Tensor x = rows();
  const Variable trained = network(x);
  const View<const float> y = trained.value();
  const Tensor whole = network.predict(x);
  std::set<float> factors;
  for (std::int64_t i = 0; i < T * N; ++i) {
    for (std::int64_t j = 0; j < C - 1 + E; ++j) {
      const float value = y.data[i * 4 + j], kept = whole[i * 4 + j];
      if (j < C - 1) {
        EXPECT_EQ(value, kept);
        continue;
      }
      factors.insert(value / kept);
      EXPECT_EQ(value, y.data[i % N * 4 + j]) << "as at the first step";
    }
  }
  EXPECT_EQ(factors, (std::set<float>{0, 2}));
}

TEST(SeriesEmbedding, ComesBackFromItsDescription) {
  Sequential network = with_vectors(0.25);
  const LayerDescription description = network.describe();
  EXPECT_EQ(S * E, count_parameters(description));
  Sequential again = build_sequential(description.branches[0]);
  again.parameters()[0]->value = network.parameters()[0]->value;
  expect_near(again.predict(rows()), network.predict(rows()), 0, "the same bits");
  EXPECT_EQ(0.25, std::get<double>(again.describe().branches[0][0].layer.settings.at("dropout")));
}

TEST(SeriesEmbedding, WhatDoesNotFitIsNamed) {
  expect_error(Code::kUsage, {"series 0"}, [] { SeriesEmbedding(0, 2, 0); });
  expect_error(Code::kUsage, {"size 0"}, [] { SeriesEmbedding(2, 0, 0); });
  expect_error(Code::kUsage, {"dropout is 1"}, [] { SeriesEmbedding(2, 2, 1); });
  Sequential network = with_vectors();
  expect_error(Code::kUsage, {"rows of 1 numbers"}, [&] { network.predict(Tensor({T, N, 1})); });
}

}  // namespace
}  // namespace carousel
