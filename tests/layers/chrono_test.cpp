// Chrono initialisation. Oracles: its definition (Tallec & Ollivier 2018), b = log U(1, T - 1); what a step of a cell
// with no other weights keeps of its memory; lists of gates by name.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "carousel/layers.h"
#include "cells/cell.h"
#include "layers/recurrent/recurrent_structure.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

constexpr std::int64_t kLongest = 50;

RecurrentOptions chrono(std::string_view cell, std::int64_t layers = 1) {
  return {.cell = std::string(cell), .input_size = 3, .hidden_size = 6, .layers = layers, .chrono = kLongest};
}

// Those without a sigmoid that decides how much of the memory stays.
bool forgets(const Cell& cell) {
  static const std::set<std::string_view> never{
      "rnn",       "rnn_relu",       "rnn_sigmoid", "rnn_linear", "jordan",      "jordan_sigmoid", "lstm_nfg",
      "lstm_1997", "lstm_1997_tanh", "clockwork",   "indrnn",     "indrnn_tanh", "slstm_exp",      "mlstm_exp"};
  return !never.contains(cell.name);
}

TEST(Chrono, TheDrawsOfManyUnitsAreUniformBetweenOneAndTheLongestLessOne) {
  RecurrentOptions options = chrono("lstm");
  options.hidden_size = 20000;
  const std::int64_t H = options.hidden_size;
  Tensor bias({4 * H});
  initialize_gate_biases(options, find_cell("lstm"), {5, Purpose::kWeights, 2}, bias);
  std::vector<double> share;  // of the way from 1 to 49
  for (std::int64_t j = 0; j < H; ++j) {
    EXPECT_EQ(bias[j], -bias[H + j]) << j;
    EXPECT_EQ(bias[2 * H + j], 0) << j;
    EXPECT_EQ(bias[3 * H + j], 0) << j;
    share.push_back((std::exp(static_cast<double>(bias[H + j])) - 1) / (kLongest - 2));
  }
  std::sort(share.begin(), share.end());
  EXPECT_GE(share.front(), 0);
  EXPECT_LE(share.back(), 1 + 1e-5);
  double furthest = 0;  // from the distribution function of U(0, 1): Kolmogorov and Smirnov
  for (std::int64_t j = 0; j < H; ++j)
    furthest = std::max(furthest, std::abs(share[static_cast<std::size_t>(j)] -
                                           (static_cast<double>(j) + 0.5) / static_cast<double>(H)));
  EXPECT_LT(furthest, 1.63 / std::sqrt(static_cast<double>(H)));  // 1 in 100 samples is further off
}

// The share of its memory that every unit keeps in a step of a cell whose only weights are bias_ih: the difference
// that the state before makes.
std::vector<float> kept_shares(const Cell& cell) {
  Sequential network{Recurrent(chrono(cell.name))};
  auto& layer = dynamic_cast<Recurrent&>(*network.modules()[0].second);
  layer.initialize(3);
  for (Parameter* p : network.parameters()) {
    if (p->name != "bias_ih_l0") p->value.fill(0);
  }
  const std::set<std::string_view> memories{"c", "C", "m_time"};
  int memory = 0;
  for (int s = 0; s < cell.state_count(); ++s) {
    if (memories.contains(cell.states[static_cast<std::size_t>(s)])) memory = s;
  }
  const auto step_from = [&](float before) {
    State initial = network.zero_state(1), final;
    for (int s = 0; s < cell.state_count(); ++s) {
      if (cell.states[static_cast<std::size_t>(s)] == "n") initial.values[static_cast<std::size_t>(s)].fill(1);
    }
    initial.values[static_cast<std::size_t>(memory)].fill(before);
    network.predict(Tensor({1, 1, 3}), {}, &initial, &final);
    return final.values[static_cast<std::size_t>(memory)];
  };
  const Tensor low = step_from(0.25f), high = step_from(1.25f);
  std::vector<float> shares;
  for (std::int64_t j = 0; j < low.elements(); ++j) shares.push_back(high[j] - low[j]);
  return shares;
}

TEST(Chrono, AStepOfEveryCellThatForgetsKeepsTheShareThatWasDrawn) {
  for (const Cell& cell : all_cells()) {
    if (!forgets(cell)) continue;
    Recurrent lstm(chrono("lstm"));
    Recurrent own(chrono(cell.name));
    lstm.initialize(3);
    own.initialize(3);
    const std::vector<float> shares = kept_shares(cell);
    for (std::size_t j = 0; j < shares.size(); ++j) {
      const auto unit = static_cast<std::int64_t>(cell.has_matrix() ? 0 : j);  // a matrix has one gate
      const float log_u = lstm.parameter("bias_ih_l0")->value[6 + unit];
      EXPECT_NEAR(shares[j], 1 / (1 + std::exp(-log_u)), 2e-6) << cell.name << " " << j;
    }
  }
}

TEST(Chrono, OtherGatesOfEveryCellStartAsUsual) {
  const std::map<std::string_view, std::set<std::string_view>> memory_gates{{"cifg", {"i"}},
                                                                            {"cifg_peephole", {"i"}},
                                                                            {"gru", {"z"}},
                                                                            {"gru_layer_norm", {"z"}},
                                                                            {"gru_reset_before", {"z"}},
                                                                            {"mgu", {"f"}},
                                                                            {"min_gru", {"z"}},
                                                                            {"sru", {"f"}},
                                                                            {"min_gru_positive", {"z"}},
                                                                            {"lstm_nig", {"f"}},
                                                                            {"slstm", {"f"}},
                                                                            {"mlstm", {"f"}}};
  for (const Cell& cell : all_cells()) {
    if (!forgets(cell)) continue;
    const auto own = memory_gates.find(cell.name);
    const std::set<std::string_view> set =
        own != memory_gates.end() ? own->second : std::set<std::string_view>{"i", "f", "ti", "tf"};
    Recurrent layer(chrono(cell.name, 2));
    layer.initialize(3);
    const Tensor& bias = layer.parameter("bias_ih_l1")->value;
    for (int gate = 0; gate < cell.gate_count(); ++gate) {
      const std::string_view name = cell.gates[static_cast<std::size_t>(gate)];
      for (std::int64_t row = cell.first_row(gate, 6, 1); row < cell.first_row(gate + 1, 6, 1); ++row) {
        if (set.contains(name)) {
          EXPECT_GT(std::abs(bias[row]), 0.01f) << cell.name << " " << name;
        } else {
          EXPECT_EQ(bias[row], name == "df" ? 1.0f : 0.0f) << cell.name << " " << name;
        }
      }
    }
    if (const Parameter* other = layer.parameter("bias_hh_l1")) {
      for (std::int64_t row = 0; row < other->value.elements(); ++row) EXPECT_EQ(other->value[row], 0) << cell.name;
    }
  }
}

// Layers and directions draw anew, the same seed the same. Two cells a step forget twice: each has 2 u in the place of
// u, and the second one has it in bias_hh.
TEST(Chrono, DrawsFollowFromTheSeedAndTransitionsShareAStep) {
  RecurrentOptions options = chrono("gru", 2);
  options.bidirectional = true;
  Recurrent once(options), again(options), twice([&] {
    RecurrentOptions deep = options;
    deep.transitions = 2;
    return deep;
  }());
  for (Recurrent* layer : {&once, &again, &twice}) layer->initialize(8);
  std::set<float> draws;
  for (const char* name : {"bias_ih_l0", "bias_ih_l0_reverse", "bias_ih_l1", "bias_ih_l1_reverse"}) {
    for (std::int64_t j = 6; j < 12; ++j) {
      draws.insert(once.parameter(name)->value[j]);
      EXPECT_EQ(once.parameter(name)->value[j], again.parameter(name)->value[j]) << name << " " << j;
    }
  }
  EXPECT_EQ(draws.size(), 24u);
  const float low = std::log(2.0f), high = std::log(2.0f * (kLongest - 1));
  for (std::int64_t j = 6; j < 12; ++j) {
    EXPECT_NEAR(twice.parameter("bias_ih_l0")->value[j], once.parameter("bias_ih_l0")->value[j] + low, 1e-6);
    const float second = twice.parameter("bias_hh_l0_t1")->value[j];
    EXPECT_TRUE(second >= low && second <= high) << second;
    EXPECT_EQ(twice.parameter("bias_hh_l0")->value[j], 0);
  }
}

// Oracle: the settings that the layer was made with.
TEST(Chrono, IsKeptInTheDescription) {
  const Recurrent layer(chrono("gru"));
  EXPECT_EQ(dynamic_cast<Recurrent&>(*build_module(layer.describe())).options().chrono, kLongest);
  EXPECT_FALSE(Recurrent({.cell = "gru", .input_size = 3, .hidden_size = 6}).describe().settings.contains("chrono"));
}

TEST(Chrono, OptionsThatDoNotFitAreNamed) {
  for (const Cell& cell : all_cells()) {
    if (forgets(cell)) continue;
    expect_error(Code::kUsage, {cell.name, "no sigmoid gate that forgets", "leave chrono out"},
                 [&] { Recurrent(chrono(cell.name)); });
  }
  expect_error(Code::kUsage, {"gru", "chrono is 2", "at least 3"},
               [] { Recurrent({.cell = "gru", .input_size = 1, .hidden_size = 2, .chrono = 2}); });
  expect_error(Code::kUsage, {"gru", "chrono is -5"},
               [] { Recurrent({.cell = "gru", .input_size = 1, .hidden_size = 2, .chrono = -5}); });
  expect_error(Code::kUsage, {"gru", "chrono", "biases"},
               [] { Recurrent({.cell = "gru", .input_size = 1, .hidden_size = 2, .bias = false, .chrono = 9}); });
}

// Oracle: the equations: g0 is the only sigmoid that multiplies c.
TEST(Chrono, SetsTheForgetGateOfAnExpression) {
  Recurrent layer(chrono("expr:g0=sigmoid;g1=tanh;c=g0*c+g1;h=tanh(c)"));
  layer.initialize(3);
  Recurrent lstm(chrono("lstm"));
  lstm.initialize(3);
  for (std::int64_t j = 0; j < 6; ++j) {
    EXPECT_EQ(layer.parameter("bias_ih_l0")->value[j], lstm.parameter("bias_ih_l0")->value[6 + j]);
    EXPECT_EQ(layer.parameter("bias_ih_l0")->value[6 + j], 0);
  }
}

}  // namespace
}  // namespace carousel
