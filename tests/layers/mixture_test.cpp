// Oracles: the networks run one by one and added up by hand; memberships() of each window; the sum of the gradients.
#include "layers/mixture.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/tape.h"
#include "carousel/loss.h"
#include "carousel/model.h"
#include "carousel/operations.h"
#include "layers/fuzzy/fuzzy_cmeans.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

constexpr std::int64_t T = 3, N = 5, C = 2, O = 4, K = 2;

Tensor values(const Shape& shape, double step) {
  Tensor tensor(shape);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor[i] = static_cast<float>(std::sin(step * double(i + 1)));
  return tensor;
}

Sequential network(std::uint64_t seed) {
  Sequential one{Recurrent{{.cell = "gru", .input_size = C, .hidden_size = 3}}, Pool{"last"}, Linear{3, O}};
  one.initialize(seed);
  return one;
}

Sequential mixture(double fuzzifier = 2) {
  Sequential gate;
  gate.add("memberships", std::make_unique<Memberships>(values({K, T * C}, 0.7), fuzzifier));
  std::vector<Sequential> networks;
  for (std::uint64_t k = 0; k < K; ++k) networks.push_back(network(7 + k));
  Sequential whole;
  whole.add("clusters", std::make_unique<Mixture>(std::move(gate), std::move(networks)));
  return whole;
}

// The memberships of the samples of x [T, N, C], [N, K].
Tensor shares_of(const Tensor& x, double fuzzifier) {
  Tensor points({N, T * C}), shares({N, K});
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t t = 0; t < T; ++t) {
      for (std::int64_t c = 0; c < C; ++c) points[n * T * C + t * C + c] = x[(t * N + n) * C + c];
    }
  }
  const Tensor centers = values({K, T * C}, 0.7);
  memberships<float>(static_cast<const Tensor&>(points).view(), centers.view(), fuzzifier, shares.view());
  return shares;
}

TEST(Mixture, WeighsEachNetworkByTheMembershipsOfTheWindow) {
  const Tensor x = values({T, N, C}, 0.31), shares = shares_of(x, 1.5);
  Sequential whole = mixture(1.5);
  Tensor expected({N, O});
  for (std::uint64_t k = 0; k < K; ++k) {
    const Tensor y = network(7 + k).predict(x);
    for (std::int64_t n = 0; n < N; ++n) {
      for (std::int64_t o = 0; o < O; ++o) {
        expected[n * O + o] += shares[n * K + static_cast<std::int64_t>(k)] * y[n * O + o];
      }
    }
  }
  expect_near(whole.predict(x), expected, 1e-6, "mixture");
}

TEST(Mixture, GradientsAreThoseOfTheNetworksUnderTheirWeights) {
  const Tensor x = values({T, N, C}, 0.31), shares = shares_of(x, 2);
  Sequential whole = mixture();
  backward(sum(whole(x)));
  const auto got = whole.named_tensors();
  ASSERT_EQ("clusters.0.memberships.centers", got[0].first);
  std::size_t next = 1;
  for (std::uint64_t k = 0; k < K; ++k) {
    Tensor weights({N, O});
    for (std::int64_t i = 0; i < N * O; ++i) weights[i] = shares[i / O * K + static_cast<std::int64_t>(k)];
    Sequential one = network(7 + k);
    const Variable y = one(x);
    backward(sum(multiply(y, y.tape().constant(static_cast<const Tensor&>(weights).view()))));
    for (const auto& [name, tensor] : one.named_tensors()) {
      expect_near(got[next].second->gradient, tensor->gradient, 1e-6, got[next].first);
      ++next;
    }
  }
  EXPECT_EQ(got.size(), next);
}

TEST(Mixture, ComesBackFromItsDescription) {
  Sequential whole = mixture(1.25);
  const LayerDescription description = whole.describe();
  std::int64_t elements = 0;
  for (const auto& [name, tensor] : whole.named_tensors()) elements += tensor->value.elements();
  EXPECT_EQ(elements, count_parameters(description));
  Sequential again = build_sequential(description.branches[0]);
  const auto from = whole.named_tensors(), to = again.named_tensors();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t k = 0; k < from.size(); ++k) to[k].second->value = from[k].second->value;
  const Tensor x = values({T, N, C}, 0.9);
  expect_near(again.predict(x), whole.predict(x), 0, "the same bits");
}

TEST(Mixture, WhatDoesNotFitIsNamed) {
  expect_error(Code::kUsage, {"at least one network"}, [] { Mixture({}, {}); });
  expect_error(Code::kUsage, {"fuzzifier"}, [] { Memberships(Tensor({2, 3}), 1); });
  Sequential whole = mixture();
  expect_error(Code::kUsage, {"expected sequences of 6 values each"}, [&] { whole.predict(values({T + 1, N, C}, 1)); });
  Sequential gate{Pool{"mean"}};
  std::vector<Sequential> networks;
  networks.push_back(network(1));
  Sequential wrong;
  wrong.add("m", std::make_unique<Mixture>(std::move(gate), std::move(networks)));
  expect_error(Code::kUsage, {"the gate gives [5, 2], expected [5, 1]"}, [&] { wrong.predict(values({T, N, C}, 1)); });
}

}  // namespace
}  // namespace carousel
