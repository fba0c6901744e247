// Oracles: the folded embedding written out by hand; the share of dropped tokens.
#include "layers/tokens/embedding_dropout.h"

#include <gtest/gtest.h>

#include <map>

#include "layers/module.h"
#include "layers/output/tied_linear.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

TEST(EmbeddingDropout, DropsATokenWhereverItStandsAndScalesTheRest) {
  Sequential network;
  network.add("embedding", std::make_unique<Embedding>(500, 2));
  network.add("dropout", std::make_unique<EmbeddingDropout>(0.25));
  network.initialize(1);
  const Tensor& table = network.parameters()[0]->value;
  IdTensor ids({1000, 1});
  for (std::int64_t t = 0; t < 1000; ++t) ids[t] = static_cast<std::int32_t>(1 + t % 400);
  const Variable recorded = network(ids);
  const View<const float> rows = recorded.value();
  std::map<std::int32_t, float> factors;
  for (std::int64_t t = 0; t < 1000; ++t) {
    const float factor = rows.data[2 * t] / table[2 * ids[t]];
    EXPECT_NEAR(rows.data[2 * t + 1], factor * table[2 * ids[t] + 1], 1e-6);
    EXPECT_TRUE(factor == 0 || std::abs(factor - 4.0f / 3) < 1e-5) << factor;
    EXPECT_NEAR(factors.emplace(ids[t], factor).first->second, factor, 1e-5) << ids[t];
  }
  int dropped = 0;
  for (const auto& [id, factor] : factors) dropped += factor == 0 ? 1 : 0;
  EXPECT_NEAR(dropped, 100, 35);  // 400 tokens, deviation 8.7: four of them
  const Tensor predicted = network.predict(ids);
  expect_near(std::span(predicted.data() + 14, 2), std::span(table.data() + 16, 2), 0, "prediction");
}

TEST(EmbeddingDropout, SaysWhereItMustStand) {
  Sequential network{EmbeddingDropout{0.5}};
  expect_error(Code::kUsage, {"right behind an Embedding"}, [&] { network.predict(Tensor({1, 1, 2})); });
  EXPECT_THROW(EmbeddingDropout{1.0}, Error);
}

TEST(TiedLinear, NeedsAnEmbedding) {
  Sequential network{TiedLinear{3}};
  expect_error(Code::kUsage, {"did not begin with an Embedding"}, [&] { network.predict(Tensor({1, 1, 2})); });
  EXPECT_THROW(TiedLinear{0}, Error);
}

}  // namespace
}  // namespace carousel
