// Oracles: an Embedding whose table says the same: the identity for 1 of N, sums of rows for pieces of words.
#include "layers/tokens/token_inputs.h"

#include <gtest/gtest.h>

#include "carousel/error.h"
#include "carousel/loss.h"
#include "layers/module.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

constexpr std::int64_t kWords = 6, kSize = 3;
const std::vector<std::int32_t> kLengths{4, 2, 5};

IdTensor some_ids() {
  IdTensor ids({5, 3});
  for (std::int64_t k = 0; k < 15; ++k) ids[k] = static_cast<std::int32_t>((7 * k + 2) % kWords);
  return ids;
}

Recurrent some_recurrent(std::int64_t input_size) {
  return Recurrent{{.cell = "gru", .input_size = input_size, .hidden_size = 4, .bidirectional = true}};
}

// Gives the parameters of `to` behind its first `skip_to` the values of those of `from` behind its first.
void copy_behind_the_first(Sequential& from, Sequential& to, std::size_t skip_to) {
  const auto source = from.parameters(), target = to.parameters();
  ASSERT_EQ(source.size() - 1, target.size() - skip_to);
  for (std::size_t k = skip_to; k < target.size(); ++k) target[k]->value = source[k + 1 - skip_to]->value;
}

void expect_same_gradients(Sequential& a, Sequential& b, std::size_t skip_a, std::size_t skip_b) {
  const auto of_a = a.parameters(), of_b = b.parameters();
  for (std::size_t k = 0; skip_a + k < of_a.size(); ++k) {
    expect_near(of_a[skip_a + k]->gradient.span(), of_b[skip_b + k]->gradient.span(), 1e-6, "gradient");
  }
}

TEST(OneHot, IsAnEmbeddingWhoseTableIsTheIdentity) {
  Sequential table{Embedding{kWords, kWords}, some_recurrent(kWords)};
  Sequential one_hot{OneHot{kWords}, some_recurrent(kWords)};
  Tensor& identity = table.parameters()[0]->value;
  identity.fill(0);
  for (std::int64_t v = 0; v < kWords; ++v) identity[v * kWords + v] = 1;
  copy_behind_the_first(table, one_hot, 0);
  const IdTensor ids = some_ids();
  const Variable a = table(ids, kLengths), b = one_hot(ids, kLengths);
  expect_near(a.value(), b.value(), 1e-6, "output");
  const Tensor target = random_tensor({5, 3, 8}, 4);
  backward(mse(a, target));
  backward(mse(b, target));
  expect_same_gradients(one_hot, table, 0, 1);
  EXPECT_EQ(one_hot.buffers().size(), 0u);
}

TEST(FixedEmbedding, GivesWhatAnEmbeddingGivesAndIsNotTrained) {
  Sequential table{Embedding{kWords, kSize}, some_recurrent(kSize)};
  Sequential fixed{FixedEmbedding{kWords, kSize}, some_recurrent(kSize)};
  fixed.buffers()[0]->value = table.parameters()[0]->value;
  copy_behind_the_first(table, fixed, 0);
  const IdTensor ids = some_ids();
  const Variable a = table(ids, kLengths), b = fixed(ids, kLengths);
  expect_near(a.value(), b.value(), 1e-6, "output");
  const Tensor target = random_tensor({5, 3, 8}, 4);
  backward(mse(a, target));
  backward(mse(b, target));
  expect_same_gradients(fixed, table, 0, 1);
  Embedding fresh(kWords, kSize);
  FixedEmbedding fixed_fresh(kWords, kSize);
  fresh.initialize(5);
  fixed_fresh.initialize(5);
  EXPECT_EQ(std::vector<float>(fresh.weight.value.span().begin(), fresh.weight.value.span().end()),
            std::vector<float>(fixed_fresh.weight.value.span().begin(), fixed_fresh.weight.value.span().end()));
}

// Word 0 has no piece, word 3 one twice; piece 4 belongs to no word of the vocabulary.
WordPieces some_words() {
  WordPieces words;
  for (const std::vector<std::int32_t>& pieces :
       {std::vector<std::int32_t>{}, {0, 1}, {1, 2, 3}, {3, 3}, {0}, {2, 0, 1, 3}}) {
    words.add(pieces);
  }
  return words;
}

TEST(HashedEmbedding, AddsTheRowsOfAWordsPiecesAndGivesEachItsGradient) {
  constexpr std::int64_t kBuckets = 5;
  const WordPieces words = some_words();
  Sequential table{Embedding{kWords, kSize}, some_recurrent(kSize)};
  Sequential hashed{HashedEmbedding{words, kBuckets, kSize}, some_recurrent(kSize)};
  Parameter& rows = *hashed.parameters()[0];
  rows.value = random_tensor({kBuckets, kSize}, 8);
  Parameter& sums = *table.parameters()[0];
  sums.value.fill(0);
  const auto for_each_piece = [&](auto f) {
    for (std::int64_t w = 0; w < kWords; ++w) {
      for (std::int64_t k = words.starts[static_cast<std::size_t>(w)];
           k < words.starts[static_cast<std::size_t>(w) + 1]; ++k) {
        for (std::int64_t j = 0; j < kSize; ++j)
          f(w * kSize + j, words.pieces[static_cast<std::size_t>(k)] * kSize + j);
      }
    }
  };
  for_each_piece([&](std::int64_t word, std::int64_t piece) { sums.value[word] += rows.value[piece]; });
  copy_behind_the_first(table, hashed, 1);
  const IdTensor ids = some_ids();
  const Variable a = table(ids, kLengths), b = hashed(ids, kLengths);
  expect_near(a.value(), b.value(), 1e-6, "output");
  const Tensor target = random_tensor({5, 3, 8}, 4);
  backward(mse(a, target));
  backward(mse(b, target));
  expect_same_gradients(hashed, table, 1, 1);
  Tensor expected({kBuckets, kSize});
  for_each_piece([&](std::int64_t word, std::int64_t piece) { expected[piece] += sums.gradient[word]; });
  expect_near(rows.gradient.span(), expected.span(), 1e-6, "gradient of the pieces");
}

TEST(HashedEmbedding, AWordBeyondTheVocabularyHasTheVectorOfItsPieces) {
  HashedEmbedding layer(some_words(), 5, kSize);
  layer.initialize(3);
  WordPieces unseen;
  unseen.add(std::vector<std::int32_t>{4, 4});
  unseen.add(std::vector<std::int32_t>{1, 2, 3});  // as word 2
  Sequential network;
  network.add("hashed", std::make_unique<HashedEmbedding>(std::move(layer)));
  const IdTensor ids({3, 1}, std::vector<std::int32_t>{7, 2, 6});
  Tape<float> tape;
  SequenceLayout layout;
  detail::PassInput input;
  input.ids = &ids;
  input.unseen = &unseen;
  const Tensor y(detail::run_pass(network, tape, layout, input, false, {}).value());
  const float* row_4 = network.parameters()[0]->value.data() + 4 * kSize;
  for (std::int64_t j = 0; j < kSize; ++j) {
    EXPECT_EQ(y[j], y[kSize + j]);
    EXPECT_EQ(y[2 * kSize + j], row_4[j] + row_4[j]);
  }
  expect_error(Code::kUsage, {"hashed_embedding: token id 7 is out of range, expected 0 to 5"},
               [&] { network.predict(ids); });
}

TEST(TokenInputs, AreBuiltAgainFromTheirDescriptions) {
  Sequential all;
  all.add("a", std::make_unique<FixedEmbedding>(kWords, kSize));
  all.add("b", std::make_unique<OneHot>(kWords));
  all.add("c", std::make_unique<HashedEmbedding>(some_words(), 5, kSize));
  const LayerList layers = all.describe().branches.at(0);
  Sequential again = build_sequential(layers);
  std::int64_t count = 0;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    EXPECT_TRUE(is_token_input(layers[k].layer.type));
    EXPECT_EQ(again.modules()[k].second->describe().settings, layers[k].layer.settings);
    count += count_parameters(layers[k].layer);
  }
  std::int64_t elements = 0;
  for (const auto& [name, tensor] : again.named_tensors()) elements += tensor->value.elements();
  EXPECT_EQ(count, elements);
  EXPECT_FALSE(is_token_input("linear"));
  LayerDescription damaged = layers[2].layer;
  damaged.settings["pieces"] = std::int64_t{1} << 25;
  expect_error(Code::kModel, {"hashed_embedding", "too many"}, [&] { build_module(damaged); });
}

TEST(TokenInputs, WhatDoesNotFitIsNamed) {
  expect_error(Code::kUsage, {"one_hot: a size is 0"}, [] { OneHot layer(0); });
  expect_error(Code::kUsage, {"piece 3 is out of range, expected 0 to 2"},
               [] { HashedEmbedding layer(some_words(), 3, kSize); });
  Sequential network{OneHot{kWords}};
  expect_error(Code::kUsage, {"one_hot: token id 9 is out of range, expected 0 to 5"}, [&] {
    network.predict(IdTensor({1, 1}, std::vector<std::int32_t>{9}));
  });
  // A damaged file: pieces that the table has not.
  Sequential hashed{HashedEmbedding{some_words(), 5, kSize}};
  hashed.buffers()[0]->value[2] = 99;
  expect_error(Code::kModel, {"hashed_embedding: word 1 has pieces 0 to 99 of 12"}, [&] {
    hashed.predict(IdTensor({1, 1}, std::vector<std::int32_t>{1}));
  });
  hashed.buffers()[0]->value[2] = 2;
  hashed.buffers()[1]->value[0] = 1e9F;
  EXPECT_THROW(hashed.predict(IdTensor({1, 1}, std::vector<std::int32_t>{1})), Error);
}

}  // namespace
}  // namespace carousel
