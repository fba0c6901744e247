// Oracles: shapes and words worked out by hand from the definitions; the network's own output for the worked step.
#include "models/inspect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "carousel/attention.h"
#include "carousel/convolution.h"
#include "cells/cell.h"
#include "layers/mixture.h"
#include "layers/output/adaptive_softmax.h"
#include "layers/output/crf.h"
#include "layers/output/tied_linear.h"
#include "layers/tokens/series_embedding.h"
#include "layers/tokens/term_scores.h"
#include "layers/tokens/token_inputs.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

using Axes = std::vector<std::string>;
using Sizes = std::vector<std::int64_t>;

void expect_tensor(const TensorInfo& tensor, const std::string& name, const Axes& axes, const Sizes& shape) {
  EXPECT_EQ(name, tensor.name);
  EXPECT_EQ(axes, tensor.axes) << name;
  EXPECT_EQ(shape, tensor.shape) << name;
}

// C = 3, H = 5, P = 2, L = 2, D = 2, one of 4 numbers out.
Sequential projected_network() {
  return Sequential{
      Recurrent{
          {.cell = "lstm", .input_size = 3, .hidden_size = 5, .proj_size = 2, .layers = 2, .bidirectional = true}},
      Linear{4, 6}};
}

// Oracle: T = 4, N = 7, G = 4: W [G H, C] = [20, 3], above [20, D P] = [20, 4]; R [20, 2]; h [L D, N, P], c [.., H].
TEST(Inspect, ABidirectionalProjectedLstmHasTheSizesWorkedOutByHand) {
  Sequential network = projected_network();
  const Tensor x = random_tensor({4, 7, 3}, 1);
  const InspectResult result = inspect_network(network, {.values = &x});
  ASSERT_EQ(2u, result.inputs.size());
  expect_tensor(result.inputs[0], "input", {"time", "sample", "feature"}, {4, 7, 3});
  expect_tensor(result.inputs[1], "lengths", {"sample"}, {7});
  expect_tensor(result.outputs[0], "output", {"time", "sample", "output"}, {4, 7, 6});
  ASSERT_EQ(2u, result.states.size());
  expect_tensor(result.states[0], "h_n", {"layer x direction", "sample", "projected"}, {4, 7, 2});
  expect_tensor(result.states[1], "c_n", {"layer x direction", "sample", "hidden"}, {4, 7, 5});

  ASSERT_EQ(2u, result.layers.size());
  const LayerInfo& lstm = result.layers[0];
  ASSERT_EQ(3u, lstm.inputs.size());
  expect_tensor(lstm.inputs[2], "c_0", {"layer x direction", "sample", "hidden"}, {4, 7, 5});
  expect_tensor(lstm.outputs[0], "output", {"time", "sample", "direction x projected"}, {4, 7, 4});
  expect_tensor(lstm.outputs[1], "h_n", {"layer x direction", "sample", "projected"}, {4, 7, 2});
  ASSERT_EQ(20u, lstm.parameters.size());  // 5 of each layer and direction
  expect_tensor(lstm.parameters[0], "weight_ih_l0", {"gate x hidden", "feature"}, {20, 3});
  expect_tensor(lstm.parameters[1], "weight_hh_l0", {"gate x hidden", "projected"}, {20, 2});
  expect_tensor(lstm.parameters[2], "bias_ih_l0", {"gate x hidden"}, {20});
  expect_tensor(lstm.parameters[4], "weight_hr_l0", {"projected", "hidden"}, {2, 5});
  expect_tensor(lstm.parameters[15], "weight_ih_l1_reverse", {"gate x hidden", "direction x projected"}, {20, 4});
  EXPECT_NE(std::string::npos, lstm.parameters[0].meaning.find("rows i, f, g, o"));
  // D ((G H C + G H P + 2 G H + P H) + (G H D P + G H P + 2 G H + P H)) = 2 (60 + 40 + 40 + 10 + 80 + 40 + 40 + 10)
  EXPECT_EQ(640, lstm.parameter_count);
  EXPECT_EQ(640 + 4 * 6 + 6, result.parameter_count);
}

// Oracle: worked by hand; a convolution of width 3 without padding leaves 5 of 7 steps.
TEST(Inspect, ConvolutionsAndAttentionHaveTheSizesWorkedOutByHand) {
  Sequential network{Conv1d{{.input_size = 2, .output_size = 6, .kernel_size = 3, .padding = "valid"}},
                     MultiHeadAttention{{.input_size = 6, .heads = 2}},
                     AttentionDecoder{{.input_size = 6, .hidden_size = 5, .memory_size = 3, .output_size = 4}}};
  const InspectResult any = inspect_network(network, {});
  expect_tensor(any.inputs[0], "input", {"time", "sample", "feature"}, {kAnySize, kAnySize, 2});
  ASSERT_EQ(3u, any.layers.size());
  expect_tensor(any.layers[0].parameters[0], "weight", {"output", "input", "kernel"}, {6, 2, 3});
  expect_tensor(any.layers[1].parameters[0], "in_proj_weight", {"output", "input"}, {18, 6});
  ASSERT_EQ(5u, any.layers[2].inputs.size());
  expect_tensor(any.layers[2].inputs[1], "memory", {"memory time", "sample", "memory"}, {kAnySize, kAnySize, 3});
  expect_tensor(any.layers[2].inputs[3], "c_0", {"layer", "sample", "hidden"}, {1, kAnySize, 5});
  expect_tensor(any.layers[2].outputs[3], "y_n", {"layer", "sample", "output"}, {1, kAnySize, 4});
  expect_tensor(any.layers[2].outputs[4], "attention", {"time", "sample", "memory time"},
                {kAnySize, kAnySize, kAnySize});
  expect_tensor(any.layers[2].parameters[0], "weight_ih", {"output", "input"}, {20, 10});
  const Tensor values({7, 2, 2}), memory({9, 2, 3});
  const std::vector<std::int32_t> memory_lengths{9, 4};
  InspectInput input;
  input.values = &values;
  input.memory = &memory;
  input.memory_lengths = memory_lengths;
  const InspectResult sized = inspect_network(network, input);
  expect_tensor(sized.layers[2].outputs[4], "attention", {"time", "sample", "memory time"}, {5, 2, 9});
  ASSERT_EQ(3u, sized.states.size());
  expect_tensor(sized.states[0], "2.h_n", {"layer", "sample", "hidden"}, {1, 2, 5});
  expect_tensor(any.outputs[0], "output", {"time", "sample", "output"}, {kAnySize, kAnySize, 4});

  Sequential pooled{AttentionPool{3, 2}};
  const InspectResult row = inspect_network(pooled, {});
  expect_tensor(row.layers[0].parameters[0], "attn_weight_h", {"output", "input"}, {2, 3});
  expect_tensor(row.outputs[0], "output", {"sample", "feature"}, {kAnySize, 3});
  EXPECT_EQ(2 * 3 + 2 + 2, row.parameter_count);

  Sequential without_memory{Conv1d{{.input_size = 2, .output_size = 6, .kernel_size = 3, .padding = "valid"}},
                            Recurrent{{.cell = "gru", .input_size = 6, .hidden_size = 5}}};
  const Tensor x = random_tensor({7, 4, 2}, 1);
  for (const std::int64_t step : {0, 6}) {
    const InspectResult result = inspect_network(without_memory, {.values = &x, .time_step = step});
    expect_tensor(result.layers[0].outputs[0], "output", {"time", "sample", "output"}, {5, 4, 6});
    expect_tensor(result.outputs[0], "output", {"time", "sample", "hidden"}, {5, 4, 5});
    EXPECT_FALSE(result.step.has_value());
  }
}

// Every setting of how layers are joined: W = 5 of merged directions, 10 side by side.
TEST(Inspect, JoinedLayersHaveTheSizesWorkedOutByHand) {
  RecurrentOptions options{.cell = "grid_lstm", .input_size = 3, .hidden_size = 5, .layers = 2, .bidirectional = true};
  options.merge = "mean";
  options.connection = "highway";
  options.learned_initial_state = true;
  options.tied = true;
  Sequential network{Recurrent{options}};
  const Tensor x = random_tensor({4, 2, 3}, 2);
  const InspectResult result = inspect_network(network, {.values = &x});
  expect_tensor(result.outputs[0], "output", {"time", "sample", "hidden"}, {4, 2, 5});
  const auto parameter = [&](const std::string& name) {
    for (const TensorInfo& info : result.layers[0].parameters) {
      if (info.name == name) return info;
    }
    return TensorInfo{};
  };
  expect_tensor(parameter("weight_in"), "weight_in", {"state x hidden", "feature"}, {10, 3});
  expect_tensor(parameter("weight_highway_l0"), "weight_highway_l0", {"hidden", "hidden"}, {5, 5});
  expect_tensor(parameter("initial_h_time_l1_reverse"), "initial_h_time_l1_reverse", {"state"}, {5});
  EXPECT_EQ(parameter("weight_ih_l1").name, "");
  const std::string text = inspect_text(result);
  for (const char* words : {"the mean of what its two directions give", "a layer gives g h + (1 - g) x",
                            "all layers share the weights of layer 0", "left out: as learned"}) {
    EXPECT_NE(std::string::npos, text.find(words)) << words << text;
  }
}

// From learned states; t = 0 starts with them.
TEST(Inspect, TheWorkedStepStartsFromLearnedStates) {
  for (const char* cell : {"lstm", "gru", "grid_lstm", "clockwork", "slstm"}) {
    RecurrentOptions options{.cell = cell, .input_size = 3, .hidden_size = 5, .layers = 2, .bidirectional = true};
    options.merge = "sum";
    options.learned_initial_state = true;
    Sequential network{Recurrent{options}};
    for (Parameter* parameter : network.parameters()) {
      if (parameter->name.starts_with("initial_h")) parameter->value = random_tensor(parameter->value.shape(), 5);
    }
    const Tensor x = random_tensor({4, 2, 3}, 3);
    for (std::int64_t t = 0; t < 2; ++t) {
      const auto step = work_through_step(network, {.values = &x, .time_step = t});
      ASSERT_TRUE(step.has_value()) << cell;
      EXPECT_LT(step->largest_difference, 1e-6) << cell << " step " << t;
      if (t > 0) continue;
      for (const Parameter* parameter : network.parameters()) {
        if (parameter->name != "initial_h_l0") continue;
        EXPECT_EQ(step->h_before, std::vector<double>(parameter->value.span().begin(), parameter->value.span().end()));
      }
    }
  }
}

// Oracle: what the network really returns.
TEST(Inspect, ShapesAreThoseOfTheTensorsThatTheNetworkGives) {
  std::vector<Sequential> branches;
  branches.push_back(
      Sequential{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 6}}, Pool{"last"}, Linear{6, 3}});
  branches.push_back(Sequential{Flatten{4}, Linear{8, 3}});
  std::vector<Sequential> networks;
  networks.push_back(Sequential{Scale{Tensor({2}), Tensor({2})}, Sum{std::move(branches)}});
  networks.push_back(Sequential{Recurrent{{.cell = "rnn", .input_size = 2, .hidden_size = 5, .bidirectional = true}},
                                Dropout{0.5}, LayerNorm{10}, Pool{"max"}, Activation{"tanh"}});
  networks.push_back(projected_network());
  for (Sequential& network : networks) {
    const std::int64_t C = &network == &networks[2] ? 3 : 2;
    const Tensor x = random_tensor({4, 3, C}, 2);
    State final;
    const Tensor output = network.predict(x, {}, nullptr, &final);
    const InspectResult result = inspect_network(network, {.values = &x});
    const auto sizes = [](const Tensor& t) { return Sizes(t.shape().sizes().begin(), t.shape().sizes().end()); };
    EXPECT_EQ(sizes(output), result.outputs[0].shape);
    EXPECT_EQ(sizes(output), result.layers.back().outputs[0].shape);
    ASSERT_EQ(final.values.size(), result.states.size());
    for (std::size_t k = 0; k < final.values.size(); ++k) EXPECT_EQ(sizes(final.values[k]), result.states[k].shape);
    for (const LayerInfo& layer : result.layers) {
      for (const TensorInfo& tensor : layer.outputs) EXPECT_EQ(tensor.axes.size(), tensor.shape.size()) << layer.name;
    }
  }
}

// Every layer that has numbers of its own, recurrent ones of every cell.
std::vector<LayerDescription> layers_with_numbers() {
  std::vector<std::unique_ptr<Module>> layers;
  const auto add = [&](auto layer) { layers.push_back(std::make_unique<decltype(layer)>(std::move(layer))); };
  for (const Cell& cell : all_cells()) {
    RecurrentOptions options{.cell = std::string(cell.name), .input_size = 3, .hidden_size = 4, .layers = 2};
    options.bidirectional = true;
    add(Recurrent{options});
  }
  for (const char* connection : {"highway", "residual"}) {
    RecurrentOptions options{.cell = "lstm", .input_size = 3, .hidden_size = 3, .connection = connection};
    options.learned_initial_state = true;
    options.transitions = 2;
    add(Recurrent{options});
  }
  for (const char* score : {"general", "concat", "additive"}) {
    const std::int64_t A = std::string(score) == "general" ? 0 : 5, O = std::string(score) == "additive" ? 0 : 7;
    add(AttentionDecoder{{.input_size = 3,
                          .hidden_size = 4,
                          .memory_size = 6,
                          .score = score,
                          .attention_size = A,
                          .output_size = O,
                          .coverage = A > 0}});
  }
  for (const std::int64_t memory : {0, 6})
    add(MultiHeadAttention{{.input_size = 4, .heads = 2, .memory_size = memory}});
  add(AttentionPool{3, 4});
  add(Embedding{9, 4});
  add(FixedEmbedding{9, 4});
  add(HashedEmbedding{{.vocabulary_size = 9, .buckets = 5, .embedding_size = 4, .pieces = 20}});
  add(SeriesEmbedding{5, 3, 0.0});
  add(TermScores{9, 3});
  add(Conv1d{{.input_size = 3, .output_size = 4}});
  add(Linear{3, 4});
  add(TiedLinear{9});
  add(AdaptiveSoftmax{8, 40, 9});
  add(Crf{3});
  add(LayerNorm{3});
  add(Scale{Tensor({3}), Tensor({3})});
  add(Memberships{Tensor({2, 6}), 2.0});
  std::vector<LayerDescription> descriptions;
  for (const auto& layer : layers) descriptions.push_back(layer->describe());
  return descriptions;
}

// Oracle: the shape that the tensor itself has.
TEST(Inspect, EveryParameterHasANameForEachOfItsAxes) {
  for (const LayerDescription& description : layers_with_numbers()) {
    Sequential network;
    network.add("layer", build_module(description));
    const InspectResult result = inspect_network(network);
    ASSERT_EQ(1u, result.layers.size());
    const LayerInfo& layer = result.layers[0];
    const auto tensors = network.named_tensors();
    ASSERT_EQ(tensors.size(), layer.parameters.size()) << layer.type;
    EXPECT_LT(0u, tensors.size()) << layer.type;
    for (std::size_t k = 0; k < tensors.size(); ++k) {
      const TensorInfo& info = layer.parameters[k];
      EXPECT_EQ("layer." + info.name, tensors[k].first);
      EXPECT_EQ(tensors[k].second->value.shape().rank(), std::ssize(info.axes)) << layer.settings << " " << info.name;
      for (const std::string& axis : info.axes) EXPECT_FALSE(axis.empty()) << layer.settings << " " << info.name;
    }
  }
  Sequential crf{Crf{3}}, tied{TiedLinear{9}}, series{SeriesEmbedding{5, 3, 0.0}};
  const InspectResult tagger = inspect_network(crf);
  expect_tensor(tagger.layers[0].parameters[0], "start_transitions", {"tag"}, {3});
  expect_tensor(tagger.layers[0].parameters[2], "transitions", {"tag before", "tag"}, {3, 3});
  expect_tensor(inspect_network(tied).layers[0].parameters[0], "bias", {"output"}, {9});
  expect_tensor(inspect_network(series).layers[0].parameters[0], "weight", {"series", "embedding"}, {5, 3});
}

TEST(Inspect, WithoutValuesTheFreeSizesAreLetters) {
  Sequential tokens{Embedding{9, 4}, Recurrent{{.cell = "gru", .input_size = 4, .hidden_size = 5}}, Pool{"last"},
                    Linear{5, 2}};
  const InspectResult result = inspect_network(tokens);
  expect_tensor(result.inputs[0], "input", {"time", "sample"}, {kAnySize, kAnySize});
  EXPECT_EQ("int32", result.inputs[0].type);
  expect_tensor(result.layers[1].inputs[0], "input", {"time", "sample", "embedding"}, {kAnySize, kAnySize, 4});
  expect_tensor(result.outputs[0], "output", {"sample", "output"}, {kAnySize, 2});
  EXPECT_FALSE(result.step.has_value());
  EXPECT_NE(std::string::npos, inspect_text(result).find("[time T, sample N, embedding 4]"));

  // A window of 4 steps of 2 features: the Flatten layer fixes T, the Linear layer behind it the features.
  Sequential window{Flatten{4}, Linear{8, 3}};
  expect_tensor(inspect_network(window).inputs[0], "input", {"time", "sample", "feature"}, {4, kAnySize, 2});
}

// Oracle: the network's own state after the step, and for lstm the formula of lstm.h written out once more here.
TEST(Inspect, TheWorkedStepIsWhatTheNetworkComputed) {
  for (const Cell& cell : all_cells()) {
    Sequential network{Scale{Tensor({3}, std::vector<float>{0.5f, 2, 1}), Tensor({3})},
                       Recurrent{{.cell = std::string(cell.name), .input_size = 3, .hidden_size = 5, .layers = 2}}};
    const Tensor x = random_tensor({4, 2, 3}, 3);
    const std::vector<std::int32_t> lengths{1, 4};
    for (std::int64_t t = 0; t < 3; ++t) {
      const auto step = work_through_step(network, {.values = &x, .lengths = lengths, .time_step = t});
      ASSERT_EQ(!cell.has_matrix(), step.has_value()) << cell.name;
      if (!step) continue;
      EXPECT_EQ(t == 0 ? 0 : 1, step->sample);  // the first sample that is long enough
      EXPECT_LT(step->largest_difference, 1e-6) << cell.name << " step " << t;
      EXPECT_NEAR(step->network[0], step->after[0], 1e-6) << cell.name;
      EXPECT_FLOAT_EQ(x[(t * 2 + step->sample) * 3 + 1] * 2, static_cast<float>(step->x[1]));
      const auto is_zero = [](double h) { return h == 0; };
      EXPECT_EQ(t == 0, std::all_of(step->h_before.begin(), step->h_before.end(), is_zero)) << cell.name;
      const std::vector<std::int32_t> until{static_cast<std::int32_t>(t + 1), static_cast<std::int32_t>(t + 1)};
      State final;
      network.predict(x, until, nullptr, &final);
      EXPECT_FLOAT_EQ(final.values[0][step->sample * 5], static_cast<float>(step->network[0]));
    }
  }
  Sequential network{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 5}}};
  const Tensor x = random_tensor({4, 2, 3}, 3);
  const auto step = work_through_step(network, {.values = &x, .time_step = 2});
  std::vector<double> gates;
  for (const GateValue& gate : step->gates) {
    const double a = gate.from_input + gate.from_state;
    gates.push_back(gate.name == "g" ? std::tanh(a) : 1 / (1 + std::exp(-a)));
    EXPECT_NEAR(gates.back(), gate.value, 1e-14) << gate.name;
  }
  const double c = gates[1] * step->before[1] + gates[0] * gates[2];
  EXPECT_NEAR(c, step->after[1], 1e-14);
  EXPECT_NEAR(gates[3] * std::tanh(c), step->after[0], 1e-14);
}

TEST(Inspect, AProjectedStepIsWorkedThroughToTheProjectedOutput) {
  Sequential network = projected_network();
  const Tensor x = random_tensor({4, 2, 3}, 4);
  const auto step = work_through_step(network, {.values = &x, .time_step = 1});
  ASSERT_TRUE(step.has_value() && step->unprojected.has_value());
  EXPECT_LT(step->largest_difference, 1e-6);
  EXPECT_EQ(2u, step->h_before.size());
  EXPECT_NE(*step->unprojected, step->after[0]);
}

TEST(Inspect, TheMaskIsOneOnTheStepsOfASample) {
  Sequential network{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 2}}};
  const Tensor x = random_tensor({3, 4, 3}, 5);
  const std::vector<std::int32_t> lengths{2, 0, 3, 1};
  const InspectResult result = inspect_network(network, {.values = &x, .lengths = lengths});
  EXPECT_EQ(lengths, result.lengths);
  const std::vector<std::int32_t> expected{1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 0};
  EXPECT_EQ(expected, std::vector<std::int32_t>(result.mask.span().begin(), result.mask.span().end()));
  EXPECT_NE(std::string::npos, inspect_text(result).find("length 2      mask 110"));
}

// Oracle: h_n of the network itself against the places in `output` that the notes name.
TEST(Inspect, TheNotesSayWhereTheLastOutputsAre) {
  Sequential network{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 2, .layers = 2, .bidirectional = true}}};
  const Tensor x = random_tensor({4, 2, 3}, 6);
  const std::vector<std::int32_t> lengths{4, 2};
  State final;
  const Tensor output = network.predict(x, lengths, nullptr, &final);
  for (std::int64_t n = 0; n < 2; ++n) {
    const std::int64_t last = lengths[static_cast<std::size_t>(n)] - 1;
    for (std::int64_t j = 0; j < 2; ++j) {
      EXPECT_EQ(output[(last * 2 + n) * 4 + j], final.values[0][(2 * 2 + n) * 2 + j]);  // h_n[-2]: forward
      EXPECT_EQ(output[n * 4 + 2 + j], final.values[0][(3 * 2 + n) * 2 + j]);           // h_n[-1]: backward
    }
  }
  const std::string text = inspect_text(inspect_network(network, {.values = &x, .lengths = lengths}));
  for (const char* words : {"the forward direction has read the whole sample at output[length-1]",
                            "h_n[3] layer 1, backward", "h_n[-1] is the backward direction of the top layer"}) {
    EXPECT_NE(std::string::npos, text.find(words)) << words;
  }
}

TEST(Inspect, TheTextIsAtMostOneHundredColumnsWide) {
  Sequential network = projected_network();
  const Tensor x = random_tensor({70, 2, 3}, 7);
  std::istringstream lines(inspect_text(inspect_network(network, {.values = &x})));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(Inspect, TheJsonHasTheKeysThatToolsRelyOn) {
  Sequential network = projected_network();
  const Tensor x = random_tensor({4, 7, 3}, 8);
  const auto json = inspect_json(inspect_network(network, {.values = &x}));
  EXPECT_EQ("time", json.at("inputs")[0].at("axes")[0]);
  EXPECT_EQ((Sizes{4, 7, 3}), json.at("inputs")[0].at("shape").get<Sizes>());
  EXPECT_EQ("output", json.at("outputs")[0].at("name"));
  EXPECT_EQ((Sizes{4, 7, 2}), json.at("states")[0].at("shape").get<Sizes>());
  EXPECT_EQ("weight_ih_l0", json.at("layers")[0].at("parameters")[0].at("name"));
  EXPECT_EQ(7u, json.at("padding").at("mask")[0].size());
  EXPECT_EQ(4u, json.at("worked_step").at("gates").size());
  const auto sizes_only = inspect_json(inspect_network(network));
  EXPECT_EQ((Sizes{-1, -1, 3}), sizes_only.at("inputs")[0].at("shape").get<Sizes>());
  EXPECT_TRUE(sizes_only.at("worked_step").is_null());
}

TEST(Inspect, AnInputThatDoesNotFitIsNamed) {
  Sequential network = projected_network();
  const Tensor wide = random_tensor({4, 7, 2}, 9);
  EXPECT_THROW(inspect_network(network, {.values = &wide}), Error);
  const IdTensor ids({4, 7});
  expect_error(Code::kUsage, {"token ids", "Embedding"}, [&] { inspect_network(network, {.ids = &ids}); });
}

}  // namespace
}  // namespace carousel
