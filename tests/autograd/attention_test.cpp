// Oracles: plain loops over samples, heads and rows; central differences in double; one thread against several.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "autograd/ops/add_to_blocks.h"
#include "autograd/ops/attention_context.h"
#include "autograd/ops/attention_scores.h"
#include "autograd/ops/attention_weights.h"
#include "autograd/ops/concatenate_rows.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/sum.h"
#include "autograd/ops/tanh.h"
#include "base/thread_pool.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

using Lengths = std::vector<std::int64_t>;
using V = BasicVariable<double>;

// Three samples, one without keys; the key matrices have two rows more, which no block covers.
const Lengths kQueries{2, 1, 4}, kKeys{3, 0, 5};
constexpr std::int64_t kHeads = 2, kHeadSize = 3, kWidth = kHeads * kHeadSize, kQueryRows = 7, kKeyRows = 10,
                       kPairs = 52;

AttentionBlocks blocks_on(Tape<double>& tape) { return make_attention_blocks(tape.arena(), kQueries, kKeys, kHeads); }

TEST(AttentionBlocks, CountRowsAndPairs) {
  Tape<double> tape;
  const AttentionBlocks blocks = blocks_on(tape);
  EXPECT_EQ(7, blocks.query_rows());
  EXPECT_EQ(8, blocks.key_rows());
  EXPECT_EQ(kPairs, blocks.pairs());  // 2 (2 x 3 + 1 x 0 + 4 x 5)
  EXPECT_EQ(3, blocks.first(2).query_rows());
  EXPECT_EQ(12, blocks.first(2).pairs());
  EXPECT_EQ(0, blocks.first(0).pairs());
}

TEST(AttentionOps, ScoresWeightsAndContextEqualPlainLoops) {
  const auto q = random_parameter("q", {kQueryRows, kWidth}), k = random_parameter("k", {kKeyRows, kWidth});
  const auto v = random_parameter("v", {kKeyRows, kWidth});
  for (const bool causal : {false, true}) {
    Tape<double> tape;
    const AttentionBlocks blocks = blocks_on(tape);
    const V scores = attention_scores(tape.constant(q.value.view()), tape.constant(k.value.view()), blocks);
    const V weights = attention_weights(scores, blocks, causal);
    const V context = attention_context(weights, tape.constant(v.value.view()), blocks);
    std::vector<double> expected_scores, expected_weights, expected_context(kQueryRows * kWidth);
    std::int64_t query = 0, key = 0;
    for (std::size_t n = 0; n < kQueries.size(); query += kQueries[n], key += kKeys[n], ++n) {
      for (std::int64_t h = 0; h < kHeads; ++h) {
        for (std::int64_t i = query; i < query + kQueries[n]; ++i) {
          const std::size_t row = expected_scores.size();
          const std::int64_t seen = causal ? std::min(i - query + 1, kKeys[n]) : kKeys[n];
          double total = 0;
          for (std::int64_t j = key; j < key + kKeys[n]; ++j) {
            double score = 0;
            for (std::int64_t c = h * kHeadSize; c < (h + 1) * kHeadSize; ++c) {
              score += q.value[i * kWidth + c] * k.value[j * kWidth + c];
            }
            expected_scores.push_back(score);
            expected_weights.push_back(j - key < seen ? std::exp(score) : 0);
            total += expected_weights.back();
          }
          for (std::int64_t j = 0; j < kKeys[n]; ++j) {
            expected_weights[row + static_cast<std::size_t>(j)] /= total;
            for (std::int64_t c = h * kHeadSize; c < (h + 1) * kHeadSize; ++c) {
              expected_context[static_cast<std::size_t>(i * kWidth + c)] +=
                  expected_weights[row + static_cast<std::size_t>(j)] * v.value[(key + j) * kWidth + c];
            }
          }
        }
      }
    }
    expect_near(scores.value(), expected_scores, 1e-14, "scores");
    expect_near(weights.value(), expected_weights, 1e-14, "weights");
    expect_near(context.value().span(), expected_context, 1e-14, "context");
    for (std::size_t p = 0; p < expected_weights.size(); ++p) {
      if (expected_weights[p] != 0) continue;
      EXPECT_EQ(0, weights.value().data[p]) << "masked pair " << p;
    }
  }
}

// Leaf and inner operands, each used twice, so that gradients are written and added to.
TEST(AttentionOps, GradientsMatchCentralDifferences) {
  auto q = random_parameter("q", {kQueryRows, kWidth}), k = random_parameter("k", {kKeyRows, kWidth});
  auto v = random_parameter("v", {kKeyRows, kWidth}), s = random_parameter("s", {kPairs});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        const V inner_q = tanh(t.parameter(q)), inner_k = tanh(t.parameter(k));
        const AttentionBlocks blocks = blocks_on(t);
        return concatenate_rows({attention_scores(inner_q, inner_k, blocks),
                                 attention_scores(t.parameter(q), inner_k, blocks),
                                 attention_scores(inner_q, t.parameter(k), blocks)});
      },
      {&q, &k}));
  for (const bool causal : {false, true}) {
    EXPECT_TRUE(check_gradients(
        [&](Tape<double>& t) {
          const V inner = tanh(t.parameter(s));
          const AttentionBlocks blocks = blocks_on(t);
          return concatenate_rows({attention_weights(inner, blocks, causal),
                                   attention_weights(attention_weights(inner, blocks, causal), blocks, causal),
                                   attention_weights(t.parameter(s), blocks, causal)});
        },
        {&s}));
  }
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        const V inner_s = tanh(t.parameter(s)), inner_v = tanh(t.parameter(v));
        const AttentionBlocks blocks = blocks_on(t);
        return concatenate_rows({attention_context(inner_s, inner_v, blocks),
                                 attention_context(t.parameter(s), inner_v, blocks),
                                 attention_context(inner_s, t.parameter(v), blocks)});
      },
      {&s, &v}));
}

TEST(AddToBlocks, EveryRowGetsTheRowOfItsSample) {
  auto x = random_parameter("x", {kKeyRows, 4}), q = random_parameter("q", {3, 4});
  const Lengths one_each{1, 1, 1};
  Tape<double> tape;
  const AttentionBlocks blocks = make_attention_blocks(tape.arena(), one_each, kKeys, 1);
  const V y = add_to_blocks(tape.constant(x.value.view()), tape.constant(q.value.view()), blocks);
  ASSERT_EQ((Shape{8, 4}), y.shape());
  for (std::int64_t e = 0; e < 32; ++e) {
    EXPECT_EQ(x.value[e] + q.value[(e < 12 ? 0 : 2) * 4 + e % 4], y.value().data[e]) << e;
  }
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        const V inner_x = tanh(t.parameter(x)), inner_q = tanh(t.parameter(q));
        const AttentionBlocks on_t = make_attention_blocks(t.arena(), one_each, kKeys, 1);
        return concatenate_rows({add_to_blocks(inner_x, inner_q, on_t), add_to_blocks(t.parameter(x), inner_q, on_t),
                                 add_to_blocks(inner_x, t.parameter(q), on_t)});
      },
      {&x, &q}));
}

TEST(AttentionOps, WhatDoesNotFitTheBlocksIsNamed) {
  const BasicTensor<double> q({7, 6}), k({8, 6}), few({5, 6}), odd({7, 5}), pairs({50});
  Tape<double> tape;
  const AttentionBlocks blocks = blocks_on(tape);
  const auto on = [&](const BasicTensor<double>& x) { return tape.constant(x.view()); };
  expect_error(Code::kUsage, {"queries", "[8, 6]", "[7, width]"}, [&] { attention_scores(on(k), on(k), blocks); });
  expect_error(Code::kUsage, {"keys", "[5, 6]", "[8 or more, 6]"}, [&] { attention_scores(on(q), on(few), blocks); });
  expect_error(Code::kUsage, {"heads", "5"}, [&] {
    const BasicTensor<double> odd_keys({8, 5});
    attention_scores(on(odd), on(odd_keys), blocks);
  });
  expect_error(Code::kUsage, {"scores", "[50]", "[52]"}, [&] { attention_weights(on(pairs), blocks); });
  expect_error(Code::kUsage, {"weights", "[50]", "[52]"}, [&] { attention_context(on(pairs), on(k), blocks); });
  expect_error(Code::kUsage, {"7 queries for 3 samples"}, [&] { add_to_blocks(on(k), on(q), blocks); });
}

// Blocks large enough to be shared between threads: the loss and all gradients in float.
std::vector<float> pass_on_threads() {
  const Lengths lengths{70, 60, 50, 1, 65};
  constexpr std::int64_t kRows = 246, kColumns = 128;
  Parameter q("q", Tensor({kRows, kColumns})), k = q, v = q;
  std::uint64_t step = 0;
  for (Parameter* parameter : {&q, &k, &v})
    fill_normal({9, Purpose::kTest, ++step}, 0.0f, 0.2f, parameter->value.span());
  Tape<float> tape;
  const AttentionBlocks blocks = make_attention_blocks(tape.arena(), lengths, lengths, 2);
  const Variable p = attention_weights(attention_scores(tape.parameter(q), tape.parameter(k), blocks), blocks, true);
  const Variable context = attention_context(p, tape.parameter(v), blocks);
  const Variable loss = sum(multiply(context, context));
  tape.backward(loss);
  std::vector<float> result{loss.item()};
  for (const Parameter* parameter : {&q, &k, &v}) {
    result.insert(result.end(), parameter->gradient.span().begin(), parameter->gradient.span().end());
  }
  return result;
}

TEST(AttentionOps, AnyNumberOfThreadsGivesTheSameBits) {
  const int before = threads();
  set_threads(1);
  const std::vector<float> expected = pass_on_threads();
  for (const int count : {2, 3, 8}) {
    set_threads(count);
    const std::vector<float> got = pass_on_threads();
    EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0) << count << " threads";
  }
  set_threads(before);
}

}  // namespace
}  // namespace carousel
