// Oracles: the equations of the header in plain doubles, one step after the other, and their central differences; the
// three parts run one by one, the decoder step by step; a task that only the right place in the window solves.
#include "layers/attention/sequence_to_sequence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/tape.h"
#include "carousel/attention.h"
#include "carousel/loss.h"
#include "carousel/operations.h"
#include "cells/cell.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

// Window, samples, columns; steps of the decoder; blocks of targets; units of encoder and decoder.
constexpr std::int64_t T = 5, N = 2, C = 4, H = 3, W = 2, K = 2, E = 3, D = 4;
constexpr SequenceToSequenceOptions kOptions{.steps = H, .first_known = 1, .known_count = 2, .blocks = W};

struct Parts {
  std::string cell = "rnn", score = "general", pool = "last";
  bool bidirectional = false;
  std::int64_t layers = 1, known = kOptions.known_count;
};

// Encoder, bridge and decoder under their names.
Sequential named(std::span<Sequential, 3> three) {
  Sequential parts;
  parts.add("encoder", std::make_unique<Sequential>(std::move(three[0])));
  parts.add("bridge", std::make_unique<Sequential>(std::move(three[1])));
  parts.add("decoder", std::make_unique<Sequential>(std::move(three[2])));
  return parts;
}

Sequential make_parts(const Parts& p) {
  Sequential three[3], &encoder = three[0], &bridge = three[1], &decoder = three[2];
  const std::int64_t memory_size = p.bidirectional ? 2 * E : E;
  encoder.add("recurrent", std::make_unique<Recurrent>(RecurrentOptions{
                               .cell = p.cell, .input_size = C, .hidden_size = E, .bidirectional = p.bidirectional}));
  const std::int64_t read = p.known + 1;
  if (p.score == "none") {
    decoder.add("recurrent",
                std::make_unique<Recurrent>(RecurrentOptions{.cell = p.cell, .input_size = read, .hidden_size = D}));
  } else {
    const bool additive = p.score == "additive";
    decoder.add("attention", std::make_unique<AttentionDecoder>(
                                 AttentionDecoderOptions{.cell = p.cell,
                                                         .input_size = read,
                                                         .hidden_size = D,
                                                         .memory_size = memory_size,
                                                         .score = p.score,
                                                         .attention_size = additive || p.score == "concat" ? 5 : 0,
                                                         .output_size = additive ? 0 : D}));
  }
  for (std::int64_t l = 1; l < p.layers; ++l) {
    decoder.add("recurrent" + std::to_string(l),
                std::make_unique<Recurrent>(RecurrentOptions{.cell = p.cell, .input_size = D, .hidden_size = D}));
  }
  decoder.add("output", std::make_unique<Linear>(D, W * K));
  std::int64_t states = 0;
  for (const Tensor& state : decoder.zero_state(1).values) states += state.elements();
  bridge.add("pool", std::make_unique<Pool>(p.pool));
  bridge.add("output", std::make_unique<Linear>(memory_size, states));
  bridge.add("activation", std::make_unique<Activation>("tanh"));
  return named(three);
}

// With a layer below, so that the gradient must go through what is known as well.
Sequential make_network(const Parts& parts, const SequenceToSequenceOptions& options = kOptions) {
  Sequential network;
  network.add("below", std::make_unique<Linear>(C, C));
  network.add("both", std::make_unique<SequenceToSequence>(make_parts(parts), options));
  std::uint64_t seed = 40;
  for (const auto& [name, tensor] : network.named_tensors()) {
    tensor->value = random_tensor(tensor->value.shape(), ++seed);
    for (float& value : tensor->value.span()) value *= 0.5F;
  }
  return network;
}

using Numbers = std::vector<double>;
using Weights = std::map<std::string, Numbers>;

Weights weights_of(Sequential& network) {
  Weights weights;
  for (const auto& [name, tensor] : network.named_tensors()) {
    weights[name] = Numbers(tensor->value.span().begin(), tensor->value.span().end());
  }
  return weights;
}

// M x, with as many rows as M has.
Numbers product(const Numbers& M, const Numbers& x) {
  Numbers y(M.size() / x.size());
  for (std::size_t i = 0; i < M.size(); ++i) y[i / x.size()] += M[i] * x[i % x.size()];
  return y;
}
Numbers sum(const Numbers& a, const Numbers& b) {
  Numbers y = a;
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += b[i];
  return y;
}
Numbers tanh_of(Numbers a) {
  for (double& value : a) value = std::tanh(value);
  return a;
}
Numbers joined(Numbers a, const Numbers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A step of cell rnn whose weights have this prefix and suffix.
Numbers rnn(const Weights& w, const std::string& prefix, const std::string& suffix, const Numbers& x,
            const Numbers& h) {
  const auto of = [&](const char* name) { return w.at(prefix + name + suffix); };
  return tanh_of(sum(sum(product(of("weight_ih"), x), of("bias_ih")), sum(product(of("weight_hh"), h), of("bias_hh"))));
}

// y of one sample, [W, H, K], for parts of cell rnn with score general.
Numbers reference(const Weights& w, const std::vector<Numbers>& window) {
  std::vector<Numbers> x, memory;
  Numbers h(E);
  for (const Numbers& row : window) {
    x.push_back(sum(product(w.at("below.weight"), row), w.at("below.bias")));
    h = rnn(w, "both.encoder.recurrent.", "_l0", x.back(), h);
    memory.push_back(h);
  }
  const Numbers start = tanh_of(sum(product(w.at("both.bridge.output.weight"), h), w.at("both.bridge.output.bias")));
  Numbers s(start.begin(), start.begin() + D), fed(start.begin() + D, start.end()), y(W * H * K);
  for (std::int64_t step = 0; step < H; ++step) {
    const Numbers& known = x[static_cast<std::size_t>(T - H + step)];
    const Numbers z{known[1], known[2], static_cast<double>(step + 1) / H};
    s = rnn(w, "both.decoder.attention.", "", joined(z, fed), s);
    Numbers weights, context(E);
    double total = 0;
    for (const Numbers& m : memory) {
      const Numbers key = product(w.at("both.decoder.attention.attn_weight"), m);
      double score = 0;
      for (std::size_t i = 0; i < D; ++i) score += s[i] * key[i];
      weights.push_back(std::exp(score));
      total += weights.back();
    }
    for (std::size_t j = 0; j < memory.size(); ++j) {
      for (std::size_t i = 0; i < E; ++i) context[i] += weights[j] / total * memory[j][i];
    }
    fed = tanh_of(product(w.at("both.decoder.attention.weight_c"), joined(context, s)));
    const Numbers row = sum(product(w.at("both.decoder.output.weight"), fed), w.at("both.decoder.output.bias"));
    for (std::int64_t b = 0; b < W; ++b) {
      for (std::int64_t k = 0; k < K; ++k) {
        y[static_cast<std::size_t>((b * H + step) * K + k)] = row[static_cast<std::size_t>(b * K + k)];
      }
    }
  }
  return y;
}

Numbers reference(const Weights& w, const Tensor& x) {
  Numbers y;
  for (std::int64_t n = 0; n < N; ++n) {
    std::vector<Numbers> window;
    for (std::int64_t t = 0; t < T; ++t) {
      const float* row = x.data() + (t * N + n) * C;
      window.emplace_back(row, row + C);
    }
    y = joined(std::move(y), reference(w, window));
  }
  return y;
}

TEST(SequenceToSequence, GivesWhatItsEquationsGive) {
  Sequential network = make_network({});
  const Tensor x = random_tensor({T, N, C}, 1), y = network.predict(x);
  EXPECT_EQ((Shape{N, W * H * K}), y.shape());
  expect_near(y.span(), reference(weights_of(network), x), 1e-6, "y");
}

TEST(SequenceToSequence, GradientsEqualCentralDifferencesOfTheEquations) {
  Sequential network = make_network({});
  const Tensor x = random_tensor({T, N, C}, 1), factors = random_tensor({N, W * H * K}, 2);
  const Variable y = network(x);
  backward(sum(multiply(y, y.tape().constant(factors.view()))));
  Weights w = weights_of(network);
  const auto loss = [&] {
    const Numbers out = reference(w, x);
    double total = 0;
    for (std::size_t i = 0; i < out.size(); ++i) total += out[i] * factors[static_cast<std::int64_t>(i)];
    return total;
  };
  constexpr double kStep = 1e-5;
  for (const auto& [name, tensor] : network.named_tensors()) {
    Numbers expected;
    for (double& value : w[name]) {
      const double before = value;
      value = before + kStep;
      const double above = loss();
      value = before - kStep;
      expected.push_back((above - loss()) / (2 * kStep));
      value = before;
    }
    expect_near(tensor->gradient.span(), expected, 2e-6, name);
  }
}

// Also the weights of the attention, and that states of several layers go to the right ones.
TEST(SequenceToSequence, IsItsPartsOneAfterAnother) {
  const Tensor x = random_tensor({T, N, C}, 5);
  for (const Parts& p :
       {Parts{"lstm", "general", "mean"}, Parts{"gru", "additive", "mean", true, 2}, Parts{"lstm", "concat", "mean"},
        Parts{"gru", "none", "mean", false, 2}, Parts{"lstm", "none", "mean", true}}) {
    SCOPED_TRACE(p.cell + " " + p.score);
    Sequential network = make_network(p);
    auto& both = dynamic_cast<SequenceToSequence&>(*network.modules()[1].second);
    auto& below = dynamic_cast<Linear&>(*network.modules()[0].second);
    Tensor identity({C, C});
    for (std::int64_t c = 0; c < C; ++c) identity[c * C + c] = 1;
    below.weight.value = identity;
    below.bias.value.fill(0);
    const Tensor memory = both.encoder().predict(x), start = both.bridge().predict(memory);
    State state = both.decoder().zero_state(N);
    std::int64_t first = 0;
    for (Tensor& value : state.values) {
      const std::int64_t width = value.shape()[2];
      for (std::int64_t n = 0; n < N; ++n) {
        std::copy_n(start.data() + n * start.shape()[1] + first, width, value.data() + n * width);
      }
      first += width;
    }
    ASSERT_EQ(start.shape()[1], first);
    Tensor expected({N, W * H * K}), looks({H, N, T});
    for (std::int64_t h = 0; h < H; ++h) {
      Tensor z({1, N, 3});
      for (std::int64_t n = 0; n < N; ++n) {
        std::copy_n(x.data() + ((T - H + h) * N + n) * C + 1, 2, z.data() + n * 3);
        z[n * 3 + 2] = static_cast<float>(h + 1) / static_cast<float>(H);
      }
      State next;
      std::vector<Tensor> alignments;
      AttentionPass pass{.values = &z, .initial = &state, .final = &next, .alignments = &alignments};
      if (p.score != "none") pass.memory_values = &memory;
      const Tensor row = both.decoder().predict(pass);
      state = next;
      if (p.score != "none") std::copy_n(alignments.at(0).data(), N * T, looks.data() + h * N * T);
      for (std::int64_t i = 0; i < N * W * K; ++i) {
        const std::int64_t n = i / (W * K), b = i / K % W, k = i % K;
        expected[((n * W + b) * H + h) * K + k] = row[i];
      }
    }
    std::vector<Tensor> alignments;
    expect_near(network.predict({.values = &x, .alignments = &alignments}), expected, 1e-6, "y");
    if (p.score == "none") {
      EXPECT_TRUE(alignments.empty());
    } else {
      expect_near(alignments.at(0), looks, 1e-6, "weights");
    }
  }
}

TEST(SequenceToSequence, WithoutKnownColumnsAWindowMayBeShorterThanTheHorizon) {
  SequenceToSequenceOptions options = kOptions;
  options.known_count = 0;
  Sequential network = make_network({.known = 0}, options);
  EXPECT_EQ((Shape{N, W * H * K}), network.predict(random_tensor({1, N, C}, 1)).shape());
}

TEST(SequenceToSequence, ComesBackFromItsDescription) {
  Sequential network = make_network({"lstm", "concat", "last", true, 2});
  const LayerDescription description = network.describe();
  std::int64_t elements = 0;
  for (const auto& [name, tensor] : network.named_tensors()) elements += tensor->value.elements();
  EXPECT_EQ(elements, count_parameters(description));
  Sequential again = build_sequential(description.branches[0]);
  const auto from = network.named_tensors(), to = again.named_tensors();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t k = 0; k < from.size(); ++k) {
    EXPECT_EQ(from[k].first, to[k].first);
    to[k].second->value = from[k].second->value;
  }
  const Tensor x = random_tensor({T, N, C}, 1);
  expect_near(again.predict(x), network.predict(x), 0, "the same bits");
  LayerDescription broken = description.branches[0][1].layer;
  std::swap(broken.branches[0][0], broken.branches[0][2]);
  expect_error(Code::kUsage, {"encoder, bridge, decoder"}, [&] { build_module(broken); });
  broken = description.branches[0][1].layer;
  broken.settings["steps"] = std::int64_t{0};
  expect_error(Code::kModel, {"steps is 0"}, [&] { build_module(broken); });
  broken.settings["steps"] = H;
  broken.branches.clear();
  expect_error(Code::kModel, {"0 branches, expected 1"}, [&] { build_module(broken); });
}

TEST(SequenceToSequence, WhatDoesNotFitIsNamed) {
  const Tensor x = random_tensor({T, N, C}, 1), short_x = random_tensor({H - 1, N, C}, 1);
  const std::vector<std::int32_t> lengths{T, T - 1};
  Sequential network = make_network({});
  const auto fails = [&](std::initializer_list<std::string_view> words, auto run) {
    expect_error(Code::kUsage, words, run);
  };
  const State zero = network.zero_state(N);
  fails({"starts anew"}, [&] { network.predict(x, {}, &zero); });
  fails({"its own encoder"}, [&] { network.predict({.values = &x, .memory_values = &x}); });
  fails({"of one length, at least 3 time steps, got up to 2"}, [&] { network.predict(short_x); });
  fails({"of one length, at least 3 time steps, got up to 5"}, [&] { network.predict(x, lengths); });
  SequenceToSequenceOptions options = kOptions;
  options.first_known = 3;
  fails({"known columns are 3 to 4, the input has 4"}, [&] { make_network({}, options).predict(x); });
  options = kOptions;
  options.blocks = 3;
  fails({"rows of 4, expected a multiple of 3 blocks"}, [&] { make_network({}, options).predict(x); });
  options.blocks = 0;
  fails({"blocks 0"}, [&] { SequenceToSequence(make_parts({}), options); });
  Sequential wrong;
  wrong.add("encoder", std::make_unique<Linear>(C, E));
  fails({"expected three networks"}, [&] { SequenceToSequence(std::move(wrong), kOptions); });
  Sequential three[] = {Sequential{Recurrent{{.cell = "rnn", .input_size = C, .hidden_size = E}}},
                        Sequential{Pool{"last"}, Linear{E, D + 1}},
                        Sequential{Recurrent{{.cell = "rnn", .input_size = 3, .hidden_size = D}}, Linear{D, W * K}}};
  Sequential whole;
  whole.add("both", std::make_unique<SequenceToSequence>(named(three), kOptions));
  fails({"are 4 numbers, got 5"}, [&] { whole.predict(x); });
}

// Each row of the window has a value and a key, and beside them the key that a step of the decoder asks for: what that
// step should give is the value that stands with its key, wherever that is.
struct Recall {
  static constexpr std::int64_t kSteps = 4, kBatch = 64, kColumns = 1 + 2 * kSteps;

  explicit Recall(std::uint64_t seed) {
    const Tensor values = random_tensor({kSteps, kBatch}, seed);
    for (std::int64_t n = 0; n < kBatch; ++n) {
      std::int64_t keys[kSteps], asked[kSteps];  // of each row; the row that each step asks for
      fill_permutation({seed, Purpose::kTest, static_cast<std::uint64_t>(n)}, keys);
      fill_permutation({seed, Purpose::kTest, static_cast<std::uint64_t>(n + kBatch)}, asked);
      const auto row = [&](std::int64_t t) { return x.data() + (t * kBatch + n) * kColumns; };
      for (std::int64_t t = 0; t < kSteps; ++t) {
        row(t)[0] = std::tanh(values[t * kBatch + n]);
        row(t)[1 + keys[t]] = row(t)[1 + kSteps + keys[asked[t]]] = 1;
        place.push_back(asked[t]);
      }
      for (std::int64_t h = 0; h < kSteps; ++h) y[n * kSteps + h] = row(asked[h])[0];
    }
  }

  Tensor x{{kSteps, kBatch, kColumns}}, y{{kBatch, kSteps}};
  std::vector<std::int64_t> place;
};

TEST(SequenceToSequence, LooksAtTheRowThatItIsAskedFor) {
  constexpr std::int64_t kSteps = Recall::kSteps, kUnits = 16;
  Sequential three[] = {Sequential{Recurrent{{.cell = "gru", .input_size = Recall::kColumns, .hidden_size = kUnits}}},
                        Sequential{Pool{"last"}, Linear{kUnits, 2 * kUnits}, Activation{"tanh"}},
                        Sequential{AttentionDecoder{{.cell = "gru",
                                                     .input_size = kSteps + 1,
                                                     .hidden_size = kUnits,
                                                     .memory_size = kUnits,
                                                     .score = "general",
                                                     .output_size = kUnits}},
                                   Linear{kUnits, 1}}};
  Sequential network;
  network.add("both", std::make_unique<SequenceToSequence>(
                          named(three), SequenceToSequenceOptions{
                                            .steps = kSteps, .first_known = 1 + kSteps, .known_count = kSteps}));
  network.initialize(3);
  for (std::uint64_t step = 0; step < 1000; ++step) {
    const Recall batch(100 + step);
    backward(mse(network(batch.x), batch.y));
    for (Parameter* p : network.parameters()) {
      for (std::int64_t j = 0; j < p->value.elements(); ++j) p->value[j] -= 0.5F * p->gradient[j];
      p->gradient.fill(0);
    }
  }
  const Recall test(1);
  std::vector<Tensor> alignments;
  const Tensor got = network.predict({.values = &test.x, .alignments = &alignments});
  double squares = 0;
  int there = 0;
  for (std::int64_t i = 0; i < got.elements(); ++i) {
    squares += std::pow(got[i] - test.y[i], 2);
    const float* weights = alignments.at(0).data() + (i % kSteps * Recall::kBatch + i / kSteps) * kSteps;
    there += std::max_element(weights, weights + kSteps) - weights == test.place[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  EXPECT_LT(squares / static_cast<double>(got.elements()), 0.02);  // the variance of the values is 0.4
  EXPECT_GT(there, got.elements() * 19 / 20);
}

}  // namespace
}  // namespace carousel
