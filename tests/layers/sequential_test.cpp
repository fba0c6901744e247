// Oracles: the same computation by another road: folded against written-out embeddings, chunks against the whole,
// prediction against the recorded pass; and error messages for what does not fit.
#include <gtest/gtest.h>

#include "autograd/ops/add.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "carousel/error.h"
#include "carousel/layers.h"
#include "carousel/loss.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

IdTensor random_ids(const Shape& shape, std::uint64_t below) {
  IdTensor ids(shape);
  for (std::int64_t k = 0; k < ids.elements(); ++k) {
    ids[k] = static_cast<std::int32_t>(uniform_below({3, Purpose::kTest, 1}, static_cast<std::uint64_t>(k), below));
  }
  return ids;
}

// The embedding is folded into the recurrent layer; a Dropout of 0 between the two does not stop the folding, so the
// unfolded road feeds the embedded values themselves.
TEST(Sequential, AFoldedEmbeddingGivesTheSameOutputAndGradients) {
  const std::vector<std::int32_t> lengths{4, 2, 5};
  const IdTensor ids = random_ids({5, 3}, 6);
  Sequential folded{Embedding{6, 3},
                    Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 4, .bidirectional = true}}};
  Sequential plain{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 4, .bidirectional = true}}};
  const auto from = folded.parameters(), to = plain.parameters();
  for (std::size_t k = 0; k < to.size(); ++k) to[k]->value = from[k + 1]->value;
  Tensor embedded({5, 3, 3});
  for (std::int64_t k = 0; k < 15; ++k) std::copy_n(from[0]->value.data() + ids[k] * 3, 3, embedded.data() + k * 3);
  const Variable a = folded(ids, lengths), b = plain(embedded, lengths);
  expect_near(a.value(), b.value(), 1e-6, "output");
}

TEST(Sequential, PredictionEqualsTheRecordedPassWithoutDropout) {
  Sequential net{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 7, .proj_size = 4, .layers = 2}},
                 LayerNorm{4}, Activation{"tanh"}, Pool{"mean"}, Linear{4, 2}};
  const Tensor x = random_tensor({6, 5, 3}, 1);
  const std::vector<std::int32_t> lengths{6, 1, 3, 6, 2};
  expect_near(net.predict(x, lengths), Tensor(net(x, lengths).value()), 1e-6, "output");
}

// Oracle: the same sequences among ten, which the threads share out; of five they share each product. Recurrent,
// inner and projected ones are large enough for that.
TEST(Sequential, AFewSequencesOfALargeLayerGiveTheBitsThatTheyGiveAmongMany) {
  constexpr std::int64_t kSteps = 3, kMany = 10, kFew = 5, H = 370;
  const Tensor many = random_tensor({kSteps, kMany, 2}, 1);
  Tensor few({kSteps, kFew, 2});
  for (std::int64_t t = 0; t < kSteps; ++t)
    std::copy_n(many.data() + t * kMany * 2, kFew * 2, few.data() + t * kFew * 2);
  const std::vector<std::int32_t> lengths{3, 2, 3, 1, 3, 3, 3, 3, 3, 3};
  set_threads(4);
  for (const RecurrentOptions& options :
       {RecurrentOptions{.cell = "lstm", .input_size = 2, .hidden_size = H, .proj_size = 360},
        RecurrentOptions{.cell = "gru", .input_size = 2, .hidden_size = H},
        RecurrentOptions{.cell = "gru_reset_before", .input_size = 2, .hidden_size = H}}) {
    Sequential net{Recurrent{options}};
    const Tensor expected = net.predict(many, lengths), got = net.predict(few, std::span(lengths).first(kFew));
    const std::int64_t width = got.shape()[2];
    for (std::int64_t t = 0; t < kSteps; ++t) {
      for (std::int64_t k = 0; k < kFew * width; ++k) {
        ASSERT_EQ(expected[t * kMany * width + k], got[t * kFew * width + k]) << options.cell << " " << t << " " << k;
      }
    }
  }
  set_threads(0);
}

TEST(Sequential, CarriedStateContinuesTheSequence) {
  Sequential net{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 5, .layers = 2}}};
  const Tensor x = random_tensor({6, 2, 3}, 2);
  const Tensor whole = net.predict(x);
  const Tensor first({2, 2, 3}, std::span(x.data(), 12)), second({4, 2, 3}, std::span(x.data() + 12, 24));
  State state;
  const Tensor a = net.predict(first, {}, nullptr, &state);
  ASSERT_EQ(2u, state.values.size());
  EXPECT_EQ((Shape{2, 2, 5}), state.values[0].shape());
  const Tensor b = net.predict(second, {}, &state);
  expect_near(std::span(a.data(), 20), std::span(whole.data(), 20), 1e-6, "first chunk");
  expect_near(std::span(b.data(), 40), std::span(whole.data() + 20, 40), 1e-6, "second chunk");
}

// "last" is the state after the last valid step: the forward half at the last step, the backward half at step 0.
TEST(Sequential, PoolLastTakesTheStateAfterTheLastValidStep) {
  const Recurrent layer{{.cell = "rnn", .input_size = 2, .hidden_size = 3, .bidirectional = true}};
  Sequential steps{Recurrent{layer.options()}}, last{Recurrent{layer.options()}, Pool{"last"}};
  const Tensor x = random_tensor({4, 2, 2}, 3);
  const std::vector<std::int32_t> lengths{2, 4};
  const Tensor all = steps.predict(x, lengths), pooled = last.predict(x, lengths);
  for (std::int64_t n = 0; n < 2; ++n) {
    const std::int64_t end = lengths[static_cast<std::size_t>(n)] - 1;
    for (std::int64_t j = 0; j < 3; ++j) {
      EXPECT_EQ(all[(end * 2 + n) * 6 + j], pooled[n * 6 + j]);
      EXPECT_EQ(all[n * 6 + 3 + j], pooled[n * 6 + 3 + j]);
    }
  }
}

TEST(Sequential, SumAddsItsBranches) {
  std::vector<Sequential> branches;
  branches.push_back(Sequential{Flatten{3}, Linear{6, 2}});
  branches.push_back(
      Sequential{Recurrent{{.cell = "rnn", .input_size = 2, .hidden_size = 4}}, Pool{"last"}, Linear{4, 2}});
  Sequential one{Flatten{3}, Linear{6, 2}};
  Sequential two{Recurrent{{.cell = "rnn", .input_size = 2, .hidden_size = 4}}, Pool{"last"}, Linear{4, 2}};
  Sequential net{Sum{std::move(branches)}};
  std::vector<Parameter*> from = one.parameters(), more = two.parameters(), to = net.parameters();
  from.insert(from.end(), more.begin(), more.end());
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t k = 0; k < to.size(); ++k) to[k]->value = from[k]->value;
  const Tensor x = random_tensor({3, 4, 2}, 4);
  const Tensor a = one.predict(x), b = two.predict(x), sum = net.predict(x);
  for (std::int64_t k = 0; k < 8; ++k) EXPECT_FLOAT_EQ(a[k] + b[k], sum[k]);
  EXPECT_EQ("0.0.1.weight", net.named_tensors()[0].first);
}

TEST(Sequential, ItsDescriptionBuildsTheSameNetwork) {
  Sequential net{Embedding{7, 3},
                 Dropout{0.3, true},
                 Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 5, .proj_size = 2, .bidirectional = true}},
                 Pool{"max"},
                 LayerNorm{4},
                 Linear{4, 3, false},
                 Activation{"relu"}};
  const LayerDescription description = net.describe();
  Sequential copy = build_sequential(description.branches[0]);
  std::int64_t count = 0;
  const auto a = net.named_tensors(), b = copy.named_tensors();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) {
    EXPECT_EQ(a[k].first, b[k].first);
    b[k].second->value = a[k].second->value;
    count += a[k].second->value.elements();
  }
  const IdTensor ids = random_ids({4, 2}, 7);
  expect_near(copy.predict(ids), net.predict(ids), 0, "output");
  EXPECT_GE(count_parameters(description), count);
  EXPECT_LE(count_parameters(description), count + 8);
}

TEST(Sequential, WhatDoesNotFitIsNamed) {
  Sequential net{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 4}}};
  const Tensor x = random_tensor({2, 2, 5}, 5);
  try {
    net.predict(x);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("weight_ih has shape [12, 3], expected [12, 5]"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(net.predict(random_ids({2, 2}, 3)), Error);
  EXPECT_THROW((Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 4, .proj_size = 2}}), Error);
  EXPECT_THROW((Recurrent{{.cell = "lstm", .input_size = 0, .hidden_size = 4}}), Error);
  EXPECT_THROW(Pool{"first"}, Error);
}

// The loss of two passes with other lengths has the sum of their gradients.
TEST(Sequential, SeveralPassesMayWaitForOneBackward) {
  Sequential net{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 4}}, Pool{"mean"}};
  const Tensor a = random_tensor({5, 2, 3}, 7), b = random_tensor({4, 3, 3}, 8);
  const std::vector<std::int32_t> a_lengths{5, 2}, b_lengths{1, 3, 4};
  std::vector<Tensor> sums;
  for (Parameter* p : net.parameters()) sums.emplace_back(p->value.shape());
  for (const auto& [x, lengths] : {std::pair{&a, &a_lengths}, {&b, &b_lengths}}) {
    backward(mse(net(*x, *lengths), Tensor({x->shape()[1], 4})));
    for (std::size_t k = 0; k < sums.size(); ++k) {
      Tensor& gradient = net.parameters()[k]->gradient;
      for (std::int64_t j = 0; j < gradient.elements(); ++j) sums[k][j] += gradient[j];
      gradient.fill(0);
    }
  }
  const Variable of_a = mse(net(a, a_lengths), Tensor({2, 4})), of_b = mse(net(b, b_lengths), Tensor({3, 4}));
  backward(add(of_a, of_b));
  for (std::size_t k = 0; k < sums.size(); ++k) {
    expect_near(net.parameters()[k]->gradient, sums[k], 1e-6, net.parameters()[k]->name);
  }
}

TEST(Sequential, AVariableOfAnEarlierPassIsRefused) {
  Sequential net{Linear{3, 1}, Pool{"mean"}};
  const Tensor x = random_tensor({1, 1, 3}, 6);
  const Variable first = net(x);
  backward(first);
  net(x);
  EXPECT_THROW(first.item(), Error);
}

}  // namespace
}  // namespace carousel
