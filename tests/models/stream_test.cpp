// Oracle: the same network over the whole sequence.
#include "carousel/stream.h"

#include <gtest/gtest.h>

#include "base/thread_pool.h"
#include "carousel/error.h"
#include "cells/cell.h"
#include "layers/output/tied_linear.h"
#include "layers/tokens/token_inputs.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

std::span<const float> step_of(const Tensor& x, std::int64_t t) {
  return {x.data() + t * x.shape()[2], static_cast<std::size_t>(x.shape()[2])};
}

void expect_stream_equals_sequence(Sequential& network, const Tensor& x, const std::string& name) {
  const Tensor whole = network.predict(x);
  Stream stream(network);
  for (std::int64_t t = 0; t < x.shape()[0]; ++t) {
    const auto y = stream.step(step_of(x, t));
    expect_near(y, std::span(whole.data() + t * whole.shape()[2], y.size()), 2e-6, name + " step " + std::to_string(t));
  }
}

TEST(Stream, EveryCellStepByStepEqualsTheWholeSequence) {
  for (const Cell& cell : all_cells()) {
    Sequential network{Recurrent{{.cell = std::string(cell.name), .input_size = 3, .hidden_size = 21, .layers = 2}},
                       LayerNorm{21}, Linear{21, 5}, Activation{"tanh"}};
    expect_stream_equals_sequence(network, random_tensor({7, 1, 3}, 1), std::string(cell.name));
  }
  for (const std::string kind : {"tanh", "relu", "sigmoid", "gelu"}) {
    Sequential feed_forward{Linear{3, 21}, Activation{kind}, Linear{21, 2}};
    expect_stream_equals_sequence(feed_forward, random_tensor({3, 1, 3}, 3), kind);
  }
  Sequential projected{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 21, .proj_size = 4, .layers = 2}}};
  expect_stream_equals_sequence(projected, random_tensor({7, 1, 3}, 2), "projection");
}

// Every way to join layers that a stream knows; all weights random, the states that it starts from as well.
std::vector<Sequential> joined_networks(const std::string& cell) {
  std::vector<Sequential> networks;
  for (const char* connection : {"none", "residual", "highway"}) {
    for (const bool tied : {false, true}) {
      RecurrentOptions options{.cell = cell, .input_size = tied ? 21 : 3, .hidden_size = 21, .layers = 3};
      options.connection = connection;
      options.learned_initial_state = true;
      options.tied = tied;
      Sequential network{Recurrent{options}, Linear{21, 21}};
      for (Parameter* parameter : network.parameters()) {
        const Tensor noise = random_tensor(parameter->value.shape(), networks.size() + 5);
        const float deviation = cell == "mlstm" ? 0.1f : 0.3f;  // its quotients would round more
        for (std::int64_t k = 0; k < noise.elements(); ++k) parameter->value[k] = deviation * noise[k];
      }
      networks.push_back(std::move(network));
    }
  }
  return networks;
}

std::int64_t input_size_of(Sequential& network) { return Stream(network).input_size(); }

TEST(Stream, LayersJoinedInEveryWayEqualTheWholeSequence) {
  for (const char* cell : {"rnn", "lstm", "gru_reset_before", "grid_lstm", "clockwork", "mlstm"}) {
    for (Sequential& network : joined_networks(cell)) {
      const Tensor x = random_tensor({7, 1, input_size_of(network)}, 1);
      expect_stream_equals_sequence(network, x, cell);
      const Tensor whole = network.predict(x);
      Stream stream(network);
      stream.step(step_of(x, 3));
      stream.reset();
      expect_near(stream.step(step_of(x, 0)), std::span(whole.data(), 21), 2e-6, "after reset()");
    }
  }
}

// A batch of two samples, one of them without a step, in both formats.
TEST(Stream, LayersJoinedInAFormatGiveWhatAStreamInItGives) {
  for (const std::string dtype : {"bf16", "int8"}) {
    for (const char* cell : {"lstm", "gru_reset_before"}) {
      for (Sequential& network : joined_networks(cell)) {
        const std::int64_t C = input_size_of(network);
        const Tensor x = random_tensor({7, 2, C}, 6);
        const std::vector<std::int32_t> lengths{7, 0};
        set_inference_dtype(network, dtype);
        State final;
        const Tensor whole = network.predict(x, lengths, nullptr, &final);
        Stream stream(network, {.dtype = dtype});
        const State start = stream.state();
        for (std::int64_t t = 0; t < 7; ++t) {
          const auto y = stream.step({x.data() + t * 2 * C, static_cast<std::size_t>(C)});
          expect_near(y, std::span(whole.data() + t * 2 * 21, y.size()), 2e-6, dtype);
        }
        const State state = stream.state();
        for (std::size_t k = 0; k < final.values.size(); ++k) {
          for (std::int64_t l = 0; l < 3; ++l) {
            const float* rows = final.values[k].data() + l * 2 * 21;
            expect_near(std::span(rows, 21), std::span(state.values[k].data() + l * 21, 21), 0, "final");
            expect_near(std::span(rows + 21, 21), std::span(start.values[k].data() + l * 21, 21), 0, "no step");
          }
        }
      }
    }
  }
}

// The directions of one layer side by side, and their product and way past it by hand.
TEST(Stream, MergedDirectionsInAFormatAreThoseSideBySide) {
  RecurrentOptions options{.cell = "gru", .input_size = 5, .hidden_size = 5, .bidirectional = true};
  Sequential apart{Recurrent{options}};
  options.merge = "product";
  options.connection = "residual";
  Sequential merged{Recurrent{options}};
  for (std::size_t k = 0; k < apart.parameters().size(); ++k)
    merged.parameters()[k]->value = apart.parameters()[k]->value;
  for (Sequential* network : {&apart, &merged}) set_inference_dtype(*network, "int8");
  const Tensor x = random_tensor({6, 3, 5}, 9), both = apart.predict(x);
  Tensor expected(x.shape());
  for (std::int64_t k = 0; k < expected.elements(); ++k) {
    expected[k] = x[k] + both[k / 5 * 10 + k % 5] * both[k / 5 * 10 + 5 + k % 5];
  }
  expect_near(merged.predict(x), expected, 0, "product");
}

// Over the border of two chunks of the whole sequence; then once more from a state that was saved and set.
TEST(Stream, AMatrixMemoryOfSeveralHeadsEqualsTheWholeSequence) {
  Sequential network{Recurrent{{.cell = "mlstm", .input_size = 3, .hidden_size = 24, .layers = 2, .heads = 3}}};
  const Tensor x = random_tensor({70, 1, 3}, 3);
  expect_stream_equals_sequence(network, x, "mlstm");
  State final;
  network.predict(x, {}, nullptr, &final);
  Stream stream(network);
  stream.set_state(final);
  const Tensor more = random_tensor({1, 1, 3}, 4), expected = network.predict(more, {}, &final);
  expect_near(stream.step(step_of(more, 0)), expected.span(), 2e-6, "from a state");
}

// Two layers each: plain and projected, with layer normalisation, and with a matrix memory.
std::vector<RecurrentOptions> some_layers() {
  return {{.cell = "lstm", .input_size = 3, .hidden_size = 11, .layers = 2},
          {.cell = "lstm", .input_size = 3, .hidden_size = 11, .proj_size = 4, .layers = 2},
          {.cell = "lstm_layer_norm", .input_size = 3, .hidden_size = 11, .proj_size = 4, .layers = 2},
          {.cell = "mlstm", .input_size = 3, .hidden_size = 12, .layers = 2, .heads = 3}};
}

TEST(Stream, AWholeSequenceInAFormatGivesWhatAStreamInItGives) {
  for (const std::string dtype : {"bf16", "int8"}) {
    for (const RecurrentOptions& options : some_layers()) {
      Sequential network{Recurrent{options}};
      const Tensor x = random_tensor({7, 1, 3}, 6), before = network.predict(x);
      set_inference_dtype(network, dtype);
      const Tensor whole = network.predict(x);
      Stream stream(network, {.dtype = dtype});
      for (std::int64_t t = 0; t < 7; ++t) {
        const auto y = stream.step(step_of(x, t));
        expect_near(y, std::span(whole.data() + t * whole.shape()[2], y.size()), 0, options.cell + " " + dtype);
      }
      EXPECT_NE(before[0], whole[0]);  // the format does round
      // Layer normalisation makes small sums large, and what rounding did to them.
      expect_near(whole, before, options.cell == "lstm_layer_norm" ? 0.05 : 0.02, options.cell + " " + dtype);
      set_inference_dtype(network, "f32");
      expect_near(network.predict(x), before, 0, "f32 again");
    }
  }
}

// More samples than a block, of different lengths, on any number of threads.
TEST(Stream, ABatchInAFormatIsAStreamForEachSample) {
  constexpr std::int64_t kSamples = 70;
  for (const RecurrentOptions& options : some_layers()) {
    Sequential network{Recurrent{options}};
    set_inference_dtype(network, "int8");
    const Tensor x = random_tensor({9, kSamples, 3}, 7);
    std::vector<std::int32_t> lengths(kSamples);
    for (std::size_t n = 0; n < lengths.size(); ++n) lengths[n] = static_cast<std::int32_t>(n * 7 % 10);
    for (const int count : {1, 2}) {
      set_threads(count);
      State final;
      const Tensor y = network.predict(x, lengths, nullptr, &final);
      for (std::int64_t n = 0; n < kSamples; ++n) {
        Stream stream(network, {.dtype = "int8"});
        for (std::int64_t t = 0; t < lengths[static_cast<std::size_t>(n)]; ++t) {
          const auto out = stream.step({x.data() + (t * kSamples + n) * 3, 3});
          expect_near(out, std::span(y.data() + (t * kSamples + n) * y.shape()[2], out.size()), 0, "output");
        }
        const State state = stream.state();
        for (std::size_t k = 0; k < state.values.size(); ++k) {
          const std::int64_t width = state.values[k].shape()[2];
          for (std::int64_t l = 0; l < 2; ++l) {
            expect_near(std::span(final.values[k].data() + (l * kSamples + n) * width, static_cast<std::size_t>(width)),
                        std::span(state.values[k].data() + l * width, static_cast<std::size_t>(width)), 0, "final");
          }
        }
      }
    }
  }
  set_threads(0);
}

// The reverse direction of each sample is a forward pass over its valid steps turned round.
TEST(Stream, BothDirectionsInAFormatAreTwoStreams) {
  Sequential network{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 5, .bidirectional = true}}};
  Sequential first{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 5}}};
  Sequential second{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 5}}};
  for (std::size_t k = 0; k < 4; ++k) {
    first.parameters()[k]->value = network.parameters()[k]->value;
    second.parameters()[k]->value = network.parameters()[k + 4]->value;
  }
  set_inference_dtype(network, "int8");
  const Tensor x = random_tensor({6, 3, 3}, 9);
  const std::vector<std::int32_t> lengths{4, 6, 1};
  State final;
  const Tensor y = network.predict(x, lengths, nullptr, &final);
  for (std::int64_t n = 0; n < 3; ++n) {
    const std::int64_t length = lengths[static_cast<std::size_t>(n)];
    Stream a(first, {.dtype = "int8"}), b(second, {.dtype = "int8"});
    const auto input = [&](std::int64_t t) { return std::span<const float>(x.data() + (t * 3 + n) * 3, 3); };
    const auto output = [&](std::int64_t t, int d) { return std::span(y.data() + (t * 3 + n) * 10 + d * 5, 5); };
    for (std::int64_t t = 0; t < length; ++t) {
      expect_near(a.step(input(t)), output(t, 0), 0, "forward");
      expect_near(b.step(input(length - 1 - t)), output(length - 1 - t, 1), 0, "backward");
    }
    expect_near(std::span(final.values[0].data() + n * 5, 5), a.state().values[0].span(), 0, "final, forward");
    expect_near(std::span(final.values[0].data() + (3 + n) * 5, 5), b.state().values[0].span(), 0, "final, backward");
  }
}

TEST(Stream, AWindowModelSeesTheLastInputs) {
  std::vector<Sequential> branches;
  branches.push_back(
      Sequential{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 6}}, Pool{"last"}, Linear{6, 3}});
  branches.push_back(Sequential{Flatten{4}, Linear{8, 3}});
  Sequential network{Sum{std::move(branches)}};
  const Tensor x = random_tensor({4, 1, 2}, 3);
  Stream stream(network);
  std::span<const float> y;
  for (std::int64_t t = 0; t < 4; ++t) y = stream.step(step_of(x, t));
  expect_near(y, network.predict(x).span(), 2e-6, "after the window");
}

// Oracle: the network itself; the second branch is added to the first two columns of the first.
TEST(Stream, ANarrowBranchOfASumJoinsTheFirstColumns) {
  std::vector<Sequential> branches;
  branches.push_back(Sequential{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 4}}, Linear{4, 5}});
  branches.push_back(Sequential{Linear{3, 2}});
  Sequential network{Sum{std::move(branches)}};
  const Tensor x = random_tensor({6, 1, 3}, 5), y = network.predict(x);
  EXPECT_EQ((Shape{6, 1, 5}), y.shape());
  Stream stream(network);
  for (std::int64_t t = 0; t < 6; ++t) {
    expect_near(stream.step(step_of(x, t)), y.span().subspan(static_cast<std::size_t>(5 * t), 5), 2e-6, "step");
  }
}

TEST(Stream, AStoredStateResumes) {
  Sequential network{Recurrent{{.cell = "lstm", .input_size = 2, .hidden_size = 5, .layers = 2}}, Linear{5, 1}};
  const Tensor x = random_tensor({6, 1, 2}, 4);
  Stream a(network), b(network);
  for (std::int64_t t = 0; t < 3; ++t) a.step(step_of(x, t));
  b.set_state(a.state());
  for (std::int64_t t = 3; t < 6; ++t) EXPECT_EQ(a.step(step_of(x, t))[0], b.step(step_of(x, t))[0]);
  a.reset();
  Stream fresh(network);
  EXPECT_EQ(fresh.step(step_of(x, 0))[0], a.step(step_of(x, 0))[0]);
  State wrong = a.state();
  wrong.values.pop_back();
  EXPECT_THROW(b.set_state(wrong), Error);
}

TEST(Stream, AStepAllocatesNothing) {
  RecurrentOptions options{.cell = "lstm", .input_size = 2, .hidden_size = 5, .proj_size = 3, .layers = 2};
  options.connection = "highway";
  options.learned_initial_state = true;
  Sequential network{Recurrent{options}, Linear{3, 1}};
  Stream stream(network);
  const Tensor x = random_tensor({100, 1, 2}, 5);
  AllocationCounter counter;
  for (std::int64_t t = 0; t < 100; ++t) stream.step(step_of(x, t));
  EXPECT_EQ(0, counter.count());
}

// The table of the embedding is the output weight as well, and the two stand in different parts of the network.
TEST(Stream, TokenIdsGiveWhatTheNetworkPredicts) {
  Sequential network;
  auto body = std::make_unique<Sequential>();
  body->add("embedding", std::make_unique<Embedding>(5, 3));
  body->add("dropout", std::make_unique<Dropout>(0.5));
  body->add("recurrent",
            std::make_unique<Recurrent>(RecurrentOptions{.cell = "gru", .input_size = 3, .hidden_size = 3}));
  network.add("body", std::move(body));
  network.add("output", std::make_unique<TiedLinear>(5));
  network.initialize(4);
  const std::int32_t tokens[] = {3, 0, 4, 4, 1};
  const Tensor expected = network.predict(IdTensor({5, 1}, tokens));
  Stream stream(network);
  std::vector<float> got;
  got.reserve(25);
  const AllocationCounter counter;
  for (const std::int32_t token : tokens) {
    const std::span<const float> output = stream.step(token);
    got.insert(got.end(), output.begin(), output.end());
  }
  EXPECT_EQ(0, counter.count());
  expect_near(got, expected.span(), 1e-6, "scores");
  expect_error(Code::kUsage, {"token id 5", "0 to 4"}, [&] { stream.step(5); });
}

TEST(Stream, WhatCannotBeStreamedIsNamed) {
  Sequential bidirectional{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 3, .bidirectional = true}}};
  Sequential pooled{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 3}}, Pool{"mean"}};
  EXPECT_THROW(Stream{bidirectional}, Error);
  EXPECT_THROW(Stream{pooled}, Error);
  Sequential fits{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 3}}};
  Stream stream(fits);
  EXPECT_THROW(stream.step(std::vector<float>(3)), Error);
  EXPECT_THROW(stream.step(0), Error);
}

// A model file may hold layers that do not fit each other.
TEST(Stream, RefusesTokenInputsAndTiedOutputsOfOtherSizes) {
  const auto refused = [](Sequential network, std::initializer_list<std::string_view> parts) {
    expect_error(Code::kModel, parts, [&] { Stream stream(network); });
  };
  refused(Sequential{Embedding{5, 8}, Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 8}}},
          {"takes 3 features", "gives 8"});
  refused(Sequential{OneHot{5}, Recurrent{{.cell = "lstm", .input_size = 4, .hidden_size = 8}}},
          {"takes 4 features", "gives 5"});
  refused(Sequential{Embedding{5, 8}, Linear{8, 8}, TiedLinear{7}}, {"7 biases for an embedding of 5"});
}

}  // namespace
}  // namespace carousel
