// Attention layers inside of networks. Oracles: the same pass by another road: padding against other padding, both
// forms of the weights, a network built again from its description. Central differences are in multi_head_test.cpp.
#include <gtest/gtest.h>

#include "base/thread_pool.h"
#include "carousel/attention.h"
#include "carousel/convolution.h"
#include "carousel/loss.h"
#include "tests/layers/attention_case.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

using namespace attention_case;

TEST(MultiHeadAttention, PaddingChangesNothing) {
  const Tensor x = random_tensor({T, N, E}, 1), memory = random_tensor({S, N, 3}, 2);
  for (const bool causal : {false, true}) {
    Sequential net{MultiHeadAttention{{.input_size = E, .heads = 2, .causal = causal}},
                   MultiHeadAttention{{.input_size = E, .heads = 1}}};
    std::vector<Tensor> alignments;
    const Tensor y = net.predict({.values = &x, .lengths = kLengths, .alignments = &alignments});
    expect_near(net.predict(with_noise(x, kLengths), kLengths), y, 0, "self");
    ASSERT_EQ(2u, alignments.size());
    EXPECT_EQ((Shape{N, 2, T, T}), alignments[0].shape());
    EXPECT_EQ((Shape{N, 1, T, T}), alignments[1].shape());
    EXPECT_EQ(causal, alignments[0][1] == 0);    // sample 0, head 0, step 0 looks at step 1
    EXPECT_EQ(0, alignments[0][2 * T * T + 2]);  // sample 1 has two steps: nobody looks at the third
  }
  Sequential cross{MultiHeadAttention{{.input_size = E, .heads = 2, .memory_size = 3}}};
  const Tensor noisy = with_noise(memory, kMemoryLengths);
  const Tensor y =
      cross.predict({.values = &x, .lengths = kLengths, .memory_values = &memory, .memory_lengths = kMemoryLengths});
  expect_near(
      cross.predict({.values = &x, .lengths = kLengths, .memory_values = &noisy, .memory_lengths = kMemoryLengths}), y,
      0, "cross");
}

// A causal layer cannot see what comes later: the first steps alone give the same.
TEST(MultiHeadAttention, CausalStepsDoNotDependOnLaterOnes) {
  Sequential net{MultiHeadAttention{{.input_size = E, .heads = 2, .causal = true}}};
  const Tensor x = random_tensor({T, N, E}, 1), start({3, N, E}, std::span(x.data(), 3 * N * E));
  const Tensor whole = net.predict(x), first = net.predict(start);
  expect_near(first.span(), whole.span().first(static_cast<std::size_t>(first.elements())), 1e-6, "first steps");
}

// One head, a memory as wide as the input, all projections the same: both forms of the parameters are one computation.
TEST(MultiHeadAttention, StackedAndSeparateWeightsAreOneComputation) {
  Sequential stacked{MultiHeadAttention{{.input_size = E, .heads = 2, .memory_size = E}}};
  Sequential separate{MultiHeadAttention{{.input_size = E, .heads = 2, .memory_size = E - 1}}};
  const auto from = stacked.named_tensors(), to = separate.named_tensors();
  ASSERT_EQ("0.in_proj_weight", from[0].first);
  ASSERT_EQ("0.q_proj_weight", to[0].first);
  // The memory of the one has a last column of zeros, which its k and v projections do not see.
  Tensor wide({S, N, E}), narrow = random_tensor({S, N, E - 1}, 2);
  for (std::int64_t row = 0; row < S * N; ++row)
    std::copy_n(narrow.data() + row * (E - 1), E - 1, wide.data() + row * E);
  to[0].second->value = Tensor({E, E}, from[0].second->value.span().first(E * E));
  for (std::int64_t part = 1; part < 3; ++part) {
    for (std::int64_t row = 0; row < E; ++row) {
      std::copy_n(from[0].second->value.data() + (part * E + row) * E, E - 1,
                  to[static_cast<std::size_t>(part)].second->value.data() + row * (E - 1));
    }
  }
  for (std::size_t k = 1; k < from.size(); ++k) to[k + 2].second->value = from[k].second->value;
  const Tensor x = random_tensor({T, N, E}, 1);
  expect_near(separate.predict({.values = &x, .memory_values = &narrow}),
              stacked.predict({.values = &x, .memory_values = &wide}), 1e-6, "output");
}

TEST(AttentionLayers, TheirDescriptionsBuildTheSameNetwork) {
  std::vector<Sequential> networks;
  for (const AttentionDecoderOptions& options : decoder_options())
    networks.push_back(Sequential{AttentionDecoder{options}});
  networks.push_back(Sequential{MultiHeadAttention{{.input_size = I, .heads = 3, .memory_size = E}}});
  networks.push_back(Sequential{MultiHeadAttention{{.input_size = I, .memory_size = I, .bias = false}}});
  networks.push_back(Sequential{Conv1d{{.input_size = I, .output_size = 5, .kernel_size = 4, .padding = "valid"}},
                                MultiHeadAttention{{.input_size = 5, .heads = 1, .causal = true}}});
  const Tensor x = random_tensor({T, N, I}, 1);
  for (Sequential& net : networks) {
    const LayerDescription description = net.describe();
    Sequential copy = build_sequential(description.branches[0]);
    const std::string& type = description.branches[0][0].layer.type;
    std::int64_t count = 0;
    const auto a = net.named_tensors(), b = copy.named_tensors();
    ASSERT_EQ(a.size(), b.size()) << type;
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_EQ(a[k].first, b[k].first);
      b[k].second->value = a[k].second->value;
      count += a[k].second->value.elements();
    }
    AttentionPass pass{.values = &x};
    const Tensor memory = random_tensor({S, N, &net == &networks[decoder_options().size() + 1] ? I : E}, 2);
    if (type != "conv1d") pass.memory_values = &memory;
    expect_near(copy.predict(pass), net.predict(pass), 0, type);
    EXPECT_EQ(count, count_parameters(description)) << type;
  }
}

// Lengths and with them the sizes of all products change from step to step, the memory is that of the first steps.
TEST(AttentionLayers, ATrainingStepAllocatesNothingAfterTheFirst) {
  const int before = threads();
  for (const int count : {1, 2}) {
    set_threads(count);
    const std::vector<Lengths> batches{{5, 5, 5, 5}, {5, 2, 0, 4}, {3, 5, 1, 1}};
    const Tensor x = random_tensor({T, N, E}, 1), memory = random_tensor({S, N, E}, 2), target({T, N, O});
    Sequential net{Conv1d{{.input_size = E, .output_size = I}}, MultiHeadAttention{{.input_size = I}},
                   AttentionDecoder{decoder_options().front()}};
    const auto step = [&](const Lengths& lengths) {
      backward(mse(net({.values = &x, .lengths = lengths, .memory_values = &memory}), target));
    };
    for (int round = 0; round < 2; ++round) {
      for (const Lengths& lengths : batches) step(lengths);
    }
    const AllocationCounter counter;
    for (const Lengths& lengths : batches) step(lengths);
    EXPECT_EQ(0, counter.count()) << count << " threads";
  }
  set_threads(before);
}

// Sizes that are cut into blocks and batches of products: output and all gradients.
std::vector<float> pass_on_threads() {
  constexpr std::int64_t kSteps = 24, kBatch = 40, kWidth = 48;
  Lengths lengths(kBatch);
  for (std::size_t n = 0; n < lengths.size(); ++n) lengths[n] = static_cast<std::int32_t>(n * 7 % (kSteps + 1));
  const Tensor x = random_tensor({kSteps, kBatch, kWidth}, 1), memory = random_tensor({kSteps, kBatch, kWidth}, 2);
  Sequential net{Conv1d{{.input_size = kWidth, .output_size = kWidth}},
                 MultiHeadAttention{{.input_size = kWidth, .heads = 4, .causal = true}},
                 AttentionDecoder{{.input_size = kWidth,
                                   .hidden_size = kWidth,
                                   .memory_size = kWidth,
                                   .score = "concat",
                                   .attention_size = kWidth,
                                   .output_size = kWidth}}};
  const Variable y = net({.values = &x, .lengths = lengths, .memory_values = &memory, .memory_lengths = lengths});
  std::vector<float> result(y.value().span().begin(), y.value().span().end());
  backward(mse(y, Tensor(y.shape())));
  for (Parameter* p : net.parameters()) {
    result.insert(result.end(), p->gradient.span().begin(), p->gradient.span().end());
  }
  return result;
}

TEST(AttentionLayers, AnyNumberOfThreadsGivesTheSameBits) {
  const int before = threads();
  set_threads(1);
  const std::vector<float> expected = pass_on_threads();
  for (const int count : {2, 3, 8}) {
    set_threads(count);
    EXPECT_TRUE(expected == pass_on_threads()) << count << " threads";
  }
  set_threads(before);
}

TEST(AttentionLayers, WhatDoesNotFitIsNamed) {
  const auto refused = [](std::initializer_list<std::string_view> words, auto change) {
    AttentionDecoderOptions options = decoder_options().front();
    change(options);
    expect_error(Code::kUsage, words, [&] { AttentionDecoder{options}; });
  };
  refused({"unknown score 'cosine'", "dot, general, concat or additive"}, [](auto& o) { o.score = "cosine"; });
  refused({"attention_size is 0"}, [](auto& o) { o.score = "concat"; });
  refused({"output_size is 2", "leave it out"}, [](auto& o) { o.score = "additive", o.attention_size = 3; });
  refused({"dot", "memory_size 9", "hidden_size 4"}, [](auto& o) { o.score = "dot", o.memory_size = 9; });
  refused({"scaled, not concat"}, [](auto& o) { o.score = "concat", o.attention_size = 3, o.scaled = true; });
  refused({"input_size is 0"}, [](auto& o) { o.input_size = 0; });
  refused({"unknown cell"}, [](auto& o) { o.cell = "lst"; });
  refused({"'grid_lstm'", "choose lstm"}, [](auto& o) { o.cell = "grid_lstm"; });
  expect_error(Code::kUsage, {"3 heads", "input_size of 4"}, [] { MultiHeadAttention({.input_size = 4, .heads = 3}); });
  expect_error(Code::kUsage, {"causal"},
               [] { MultiHeadAttention({.input_size = 4, .memory_size = 4, .causal = true}); });

  Sequential decoder{AttentionDecoder{decoder_options().front()}}, plain{Linear{I, 2}};
  const Tensor x = random_tensor({T, N, I}, 1), memory = random_tensor({S, N, E}, 2);
  const IdTensor ids({T, N});
  expect_error(Code::kUsage, {"attention decoder", "memory", "AttentionPass"}, [&] { decoder.predict(x); });
  expect_error(Code::kUsage, {"no layer", "looks at it"},
               [&] { plain.predict({.values = &x, .memory_values = &memory}); });
  expect_error(Code::kUsage, {"values or ids"}, [&] { decoder.predict({.memory_values = &memory}); });
  expect_error(Code::kUsage, {"values or ids"},
               [&] { decoder.predict({.values = &x, .ids = &ids, .memory_values = &memory}); });
  expect_error(Code::kUsage, {"one memory"},
               [&] { decoder({.values = &x, .memory = plain(x), .memory_values = &memory}); });
  expect_error(Code::kUsage, {"predict", "memory_values"},
               [&] { decoder.predict({.values = &x, .memory = plain(x)}); });
  const State no_state;
  expect_error(Code::kUsage, {"initial state has 0 tensors"},
               [&] { decoder.predict({.values = &x, .initial = &no_state, .memory_values = &memory}); });
}

}  // namespace
}  // namespace carousel
