// Recurrent layers joined in every way: merged, connected, learned states, tied. Oracles: the same network made of
// single layers, or of layers with equal weights; a state that is given; closed forms.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/multiply.h"
#include "autograd/ops/sum.h"
#include "autograd/tape.h"
#include "carousel/layers.h"
#include "carousel/loss.h"
#include "layers/recurrent/topology.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

// Copies the weights of one layer; `from` and `to` are numbers of layers.
void copy_weights(const Recurrent& source, std::int64_t from, Recurrent& layer, std::int64_t to) {
  for (Parameter* parameter : layer.parameters()) {
    const std::size_t at = parameter->name.find("_l" + std::to_string(to));
    if (at == std::string::npos) continue;
    std::string name = parameter->name;
    name.replace(at, 3, "_l" + std::to_string(from));
    parameter->value = source.parameter(name)->value;
  }
}

// Weights of all kinds are random, biases and states, too.
void shake(Recurrent& layer, std::uint64_t seed) {
  for (Parameter* parameter : layer.parameters()) {
    const Tensor noise = random_tensor(parameter->value.shape(), ++seed);
    for (std::int64_t k = 0; k < noise.elements(); ++k) parameter->value[k] = 0.4f * noise[k];
  }
}

Sequential network_of(const Recurrent& source, const RecurrentOptions& options) {
  auto layer = std::make_unique<Recurrent>(options);
  for (Parameter* parameter : layer->parameters()) parameter->value = source.parameter(parameter->name)->value;
  Sequential network;
  network.add("recurrent", std::move(layer));
  return network;
}

// Every cell; with what a State says of the layers, since grids hand more than h from layer to layer.
TEST(JoinedLayers, TiedLayersAreLayersOfEqualWeightsAndGetTheSumOfTheirGradients) {
  for (const Cell& cell : all_cells()) {
    if (!cell.lowest_layer.empty()) continue;
    SCOPED_TRACE(cell.name);
    RecurrentOptions options{.cell = std::string(cell.name), .input_size = 4, .hidden_size = 4, .layers = 3};
    Recurrent source(options);
    options.tied = true;
    Recurrent tied_source(options);
    shake(tied_source, 3);
    for (std::int64_t l = 0; l < 3; ++l) copy_weights(tied_source, 0, source, l);
    for (const char* entry : {"weight_in", "bias_in"}) {
      for (Parameter* parameter : source.parameters()) {
        if (parameter->name == entry) parameter->value = tied_source.parameter(entry)->value;
      }
    }
    Sequential tied = network_of(tied_source, options), apart = network_of(source, source.options());
    const Tensor x = random_tensor({5, 2, 4}, 8), factors = random_tensor({5, 2, 4}, 9);
    const std::vector<std::int32_t> lengths{5, 2};
    State tied_state, state;
    expect_near(tied.predict(x, lengths, nullptr, &tied_state), apart.predict(x, lengths, nullptr, &state), 0, "y");
    for (std::size_t k = 0; k < state.values.size(); ++k) {
      expect_near(tied_state.values[k], state.values[k], 0, "state");
    }
    for (Sequential* network : {&tied, &apart}) {
      const Variable y = (*network)(x, lengths);
      backward(sum(multiply(y, y.tape().constant(factors.view()))));
    }
    for (const Parameter* parameter : tied.parameters()) {
      Tensor expected(parameter->value.shape());
      for (const Parameter* other : apart.parameters()) {
        const std::string kind = other->name.substr(0, other->name.rfind("_l"));
        if (other->name != parameter->name && kind + "_l0" != parameter->name) continue;
        for (std::int64_t j = 0; j < expected.elements(); ++j) expected[j] += other->gradient[j];
      }
      expect_near(parameter->gradient, expected, 2e-6, parameter->name);
    }
  }
}

// Two layers of one network against two networks of one layer, every cell; x is narrower than what the layers give.
TEST(JoinedLayers, AResidualNetworkIsItsLayersAndTheWayPastTheUpperOne) {
  for (const Cell& cell : all_cells()) {
    if (cell.lower) continue;  // its layers cannot be taken apart
    SCOPED_TRACE(cell.name);
    RecurrentOptions options{.cell = std::string(cell.name), .input_size = 3, .hidden_size = 4, .layers = 2};
    options.connection = "residual";
    Recurrent both(options);
    shake(both, 4);
    options.layers = 1;
    options.connection = "none";
    Recurrent first(options);
    options.input_size = 4;
    Recurrent second(options);
    copy_weights(both, 0, first, 0);
    copy_weights(both, 1, second, 0);
    Sequential network = network_of(both, both.options()), lower = network_of(first, first.options()),
               upper = network_of(second, options);
    const Tensor x = random_tensor({6, 2, 3}, 5);
    const Tensor below = lower.predict(x), above = upper.predict(below);
    Tensor expected(above.shape());
    for (std::int64_t k = 0; k < expected.elements(); ++k) expected[k] = below[k] + above[k];
    expect_near(network.predict(x), expected, 1e-6, "output");
  }
}

TEST(JoinedLayers, LearnedStatesAreTheStateThatACallerWouldGive) {
  for (const Cell& cell : all_cells()) {
    SCOPED_TRACE(cell.name);
    RecurrentOptions options{.cell = std::string(cell.name), .input_size = 3, .hidden_size = 4, .layers = 2};
    options.bidirectional = true;
    options.learned_initial_state = true;
    Recurrent source(options);
    shake(source, 6);
    Sequential learned = network_of(source, options);
    options.learned_initial_state = false;
    Sequential given = network_of(source, options);
    const Tensor x = random_tensor({4, 3, 3}, 7);
    const std::vector<std::int32_t> lengths{4, 0, 2};
    State state = given.zero_state(3), zero = given.zero_state(3), final, expected;
    for (int k = 0; k < cell.state_count(); ++k) {
      Tensor& value = state.values[static_cast<std::size_t>(k)];
      const std::int64_t width = value.shape()[2];
      for (std::int64_t row = 0; row < value.elements() / width; ++row) {
        const std::span<const float> from = initial_state(source, row / 3 / 2, static_cast<int>(row / 3 % 2), k);
        EXPECT_EQ(std::ssize(from), learns_state(cell, k) ? width : 0);
        std::copy(from.begin(), from.end(), value.data() + row * width);
      }
    }
    expect_near(learned.predict(x, lengths, nullptr, &final), given.predict(x, lengths, &state, &expected), 0, "y");
    for (std::size_t k = 0; k < final.values.size(); ++k) expect_near(final.values[k], expected.values[k], 0, "final");
    const State start = start_state(learned, 3);
    for (std::size_t k = 0; k < start.values.size(); ++k) expect_near(start.values[k], state.values[k], 0, "start");
    expect_near(learned.predict(x, lengths, &zero), given.predict(x, lengths), 0, "a given state wins");
  }
}

// Over lengths of 3, 1 and 0: the ends of both directions as the outputs of single passes name them.
TEST(JoinedLayers, PoolLastTakesWhatEachDirectionGivesAtItsEnd) {
  const std::vector<std::int32_t> lengths{3, 1, 0};
  const Tensor x = random_tensor({3, 3, 4}, 2);
  const auto pooled = [&](const Recurrent& source) {
    Sequential network = network_of(source, source.options());
    network.add("pool", std::make_unique<Pool>("last"));
    return network.predict(x, lengths);
  };
  RecurrentOptions options{.cell = "lstm", .input_size = 4, .hidden_size = 4, .bidirectional = true};
  Recurrent plain(options);
  shake(plain, 5);
  const Tensor both = pooled(plain);
  for (const char* merge : {"sum", "mean", "product"}) {
    options.merge = merge;
    Recurrent merged(options);
    copy_weights(plain, 0, merged, 0);
    Tensor expected({3, 4});
    for (std::int64_t k = 0; k < 12; ++k) {
      const float a = both[k / 4 * 8 + k % 4], b = both[k / 4 * 8 + 4 + k % 4];
      expected[k] = options.merge == "sum" ? a + b : options.merge == "mean" ? (a + b) / 2 : a * b;
    }
    expect_near(pooled(merged), expected, 0, merge);
  }
  for (const bool bidirectional : {false, true}) {
    RecurrentOptions connected{.cell = "lstm", .input_size = 4, .hidden_size = 4, .layers = 2};
    connected.bidirectional = bidirectional;
    connected.connection = "highway";
    Recurrent source(connected);
    shake(source, 9);
    Sequential steps = network_of(source, connected);
    const Tensor all = steps.predict(x, lengths);
    const std::int64_t W = bidirectional ? 8 : 4;
    Tensor expected({3, W});
    for (std::int64_t n = 0; n < 2; ++n) {
      const std::int64_t end = lengths[static_cast<std::size_t>(n)] - 1;
      for (std::int64_t j = 0; j < W; ++j) expected[n * W + j] = all[((j < 4 ? end : 0) * 3 + n) * W + j];
    }
    expect_near(pooled(source), expected, 0, "connected");
    expect_near(steps.predict(x, std::vector<std::int32_t>(3)), Tensor({3, 3, W}), 0, "no step at all");
  }
  options.connection = "residual";
  const Recurrent nowhere(options);
  expect_error(Code::kUsage, {"pool 'last'", "without a connection if its directions are merged"},
               [&] { pooled(nowhere); });
}

// An embedding is not folded into a layer that its rows go past: they are added to what it gives.
TEST(JoinedLayers, RowsOfAnEmbeddingGoPastTheLowestLayer) {
  IdTensor ids({4, 2});
  for (std::int64_t k = 0; k < 8; ++k) ids[k] = static_cast<std::int32_t>(k * 5 % 3);
  RecurrentOptions options{.cell = "gru", .input_size = 4, .hidden_size = 4};
  Sequential plain{Embedding{3, 4}, Recurrent{options}};
  options.connection = "residual";
  Sequential residual{Embedding{3, 4}, Recurrent{options}};
  for (std::size_t k = 0; k < plain.parameters().size(); ++k) {
    residual.parameters()[k]->value = plain.parameters()[k]->value;
  }
  Tensor expected = plain.predict(ids);
  const Tensor& table = plain.parameters()[0]->value;
  for (std::int64_t k = 0; k < expected.elements(); ++k) expected[k] += table[ids[k / 4] * 4 + k % 4];
  expect_near(residual.predict(ids), expected, 1e-6, "output");
}

std::vector<RecurrentOptions> topologies(const std::string& cell) {
  std::vector<RecurrentOptions> list(5, {.cell = cell, .input_size = 4, .hidden_size = 4, .layers = 3});
  list[0].connection = "highway";
  list[1].learned_initial_state = true;
  list[2].bidirectional = true;
  list[2].merge = "product";
  list[2].connection = "residual";
  list[3].bidirectional = true;
  list[3].learned_initial_state = true;
  list[3].connection = "highway";
  list[3].input_size = 2;
  if (find_cell(cell).lowest_layer.empty()) list[4].tied = true;
  if (list[4].tied) list[4].connection = "highway";
  return list;
}

// Oracle: the parameters themselves; the same network once more.
TEST(JoinedLayers, ADescriptionCountsAndBuildsTheSameNetwork) {
  for (const Cell& cell : all_cells()) {
    for (const RecurrentOptions& options : topologies(std::string(cell.name))) {
      SCOPED_TRACE(cell.name);
      Sequential network{Recurrent{options}};
      const LayerDescription description = network.describe();
      Sequential copy = build_sequential(description.branches[0]);
      std::int64_t count = 0;
      const auto a = network.named_tensors(), b = copy.named_tensors();
      ASSERT_EQ(a.size(), b.size());
      for (std::size_t k = 0; k < a.size(); ++k) {
        EXPECT_EQ(a[k].first, b[k].first);
        b[k].second->value = a[k].second->value;
        count += a[k].second->value.elements();
      }
      const std::int64_t fixed = cell.fixed_unit_weights ? 3 * (options.bidirectional ? 2 : 1) * 4 : 0;
      EXPECT_EQ(count_parameters(description), count + (options.tied ? fixed / 3 : fixed));
      const Tensor x = random_tensor({3, 2, options.input_size}, 4);
      expect_near(copy.predict(x), network.predict(x), 0, "output");
    }
  }
}

TEST(JoinedLayers, ParametersHaveTheseNamesAndBeginnings) {
  Recurrent layer(topologies("lstm")[3]);
  layer.initialize(1);
  EXPECT_EQ(layer.parameter("weight_highway_l0"), nullptr);  // its input is 2 numbers, its output 8
  EXPECT_EQ(layer.parameter("weight_highway_l2")->value.shape(), (Shape{8, 8}));
  expect_near(layer.parameter("bias_highway_l1")->value, std::vector<float>(8, -2.0f), 0, "bias_highway_l1");
  expect_near(layer.parameter("initial_c_l2_reverse")->value, std::vector<float>(4, 0.0f), 0, "initial_c_l2_reverse");
  const Recurrent tied(topologies("lstm")[4]);
  EXPECT_NE(tied.parameter("weight_highway_l0"), nullptr);
  EXPECT_EQ(tied.parameter("weight_highway_l1"), nullptr);
  EXPECT_EQ(tied.parameter("weight_ih_l1"), nullptr);
}

TEST(JoinedLayers, WhatCannotBeIsNamed) {
  const auto refused = [](const RecurrentOptions& options, std::initializer_list<std::string_view> words) {
    expect_error(Code::kUsage, words, [&] { const Recurrent layer(options); });
  };
  const RecurrentOptions good{.cell = "gru", .input_size = 3, .hidden_size = 4, .layers = 2};
  RecurrentOptions o = good;
  o.merge = "max";
  refused(o, {"unknown merge 'max', expected concat, sum, mean or product"});
  o.merge = "sum";
  refused(o, {"gru: merge is 'sum', but there is one direction"});
  o = good;
  o.connection = "dense";
  refused(o, {"unknown connection 'dense', expected none, residual or highway"});
  o.connection = "residual";
  o.layers = 1;
  refused(o, {"gru: connection 'residual' past one layer: it reads 3 numbers and gives 4"});
  o = good;
  o.tied = true;
  refused(o, {"gru: tied layers read as much as each other: the lowest one gets 3 numbers, the next one 4"});
  o.input_size = 4;
  o.layers = 1;
  refused(o, {"gru: layers is 1, expected 2 to 1000 tied ones"});
  o.layers = 1'000'000;
  refused(o, {"gru: layers is 1000000, expected 2 to 1000 tied ones"});
  o.layers = 2;
  o.cell = "depth_gated";
  refused(o, {"cell 'depth_gated' has another lowest layer"});
}

// From a state of zero, with inputs of zero and no bias, nothing can come: the loss stays that of an output of zero.
TEST(JoinedLayers, ALearnedInitialStateLearnsWhatNothingElseCan) {
  const Tensor x({5, 4, 1});
  Tensor target({5, 4, 1});
  for (std::int64_t t = 0; t < 5; ++t) std::fill_n(target.data() + t * 4, 4, std::pow(-0.7f, static_cast<float>(t)));
  const auto loss_after_training = [&](bool learned) {
    RecurrentOptions options{.cell = "rnn", .input_size = 1, .hidden_size = 6, .bias = false};
    options.learned_initial_state = learned;
    Sequential network{Recurrent{options}, Linear{6, 1, false}};
    float last = 0;
    for (int step = 0; step < 400; ++step) {
      const Variable loss = mse(network(x), target);
      last = loss.item();
      backward(loss);
      for (Parameter* parameter : network.parameters()) {
        for (std::int64_t k = 0; k < parameter->value.elements(); ++k) {
          parameter->value[k] -= 0.3f * std::exchange(parameter->gradient[k], 0.0f);
        }
      }
    }
    return last;
  };
  double nothing = 0;
  for (const float value : target.span()) nothing += double{value} * value / 20;
  EXPECT_NEAR(loss_after_training(false), nothing, 1e-6);
  EXPECT_LT(loss_after_training(true), 1e-3);
}

}  // namespace
}  // namespace carousel
