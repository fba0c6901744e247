// Oracles: weights of zero, whose gates are sigmoid(bias); the gates of every cell as its file has them; and shares
// counted by hand.
#include "layers/scan/gate_saturation.h"

#include <gtest/gtest.h>

#include <map>

#include "layers/module.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

std::string sigmoid_gate_names(const Cell& cell) {
  std::string names;
  for (int k = 0; k < cell.gate_count(); ++k) {
    if ((sigmoid_gates(cell) >> k & 1) != 0) names += cell.gates[static_cast<std::size_t>(k)];
  }
  return names;
}

TEST(GateSaturation, KnowsWhichGatesAreSigmoids) {
  const std::map<std::string, std::string> expected{{"rnn", ""},
                                                    {"rnn_sigmoid", "h"},
                                                    {"lstm", "ifo"},
                                                    {"lstm_peephole", "ifo"},
                                                    {"lstm_layer_norm", "ifo"},
                                                    {"gru_layer_norm", "rz"},
                                                    {"lstm_nog", "if"},
                                                    {"cifg", "io"},
                                                    {"lstm_fgr", "ifo"},
                                                    {"lstm_1997", "io"},
                                                    {"gru", "rz"},
                                                    {"gru_reset_before", "rz"},
                                                    {"mgu", "f"},
                                                    {"clockwork", ""},
                                                    {"sru", "fr"},
                                                    {"min_gru", "z"},
                                                    {"min_gru_positive", "z"},
                                                    {"min_lstm_positive", "fi"},
                                                    {"slstm", "o"},
                                                    {"mlstm", ""}};
  for (const auto& [name, gates] : expected) EXPECT_EQ(sigmoid_gate_names(find_cell(name)), gates) << name;
}

using Shares = std::vector<std::pair<std::string, double>>;

// Of a pass over three samples of 5, 0 and 2 steps.
Shares shares(Recurrent& layer) {
  Sequential network;
  Tape<float> tape;
  SequenceLayout layout;
  const Tensor values = random_tensor({5, 3, layer.options().input_size}, 7);
  const std::vector<std::int32_t> lengths{5, 0, 2};
  return gate_saturation(detail::run_pass(layer, tape, layout, {.values = &values, .lengths = lengths}, false, {}));
}

void set_all(Recurrent& layer, float weight, float bias) {
  for (Parameter* parameter : layer.parameters()) {
    parameter->value.fill(parameter->name.starts_with("bias_ih") ? bias : weight);
  }
}

TEST(GateSaturation, OfZeroWeightsIsThatOfTheBiases) {
  for (const char* name : {"lstm", "gru", "mgu", "lstm_peephole", "lstm_layer_norm", "sru", "mlstm", "mlstm_exp"}) {
    Recurrent layer({.cell = name, .input_size = 2, .hidden_size = 4, .layers = 2, .bidirectional = true});
    for (const float bias : {0.0f, 2.9f, -2.9f, 3.0f, -3.0f, 10.0f, -10.0f}) {  // sigmoid(2.944) = 0.95
      set_all(layer, 0, bias);
      const double share = std::abs(bias) > 2.95f ? 1 : 0;
      const Shares expected{{"l0", share}, {"l0_reverse", share}, {"l1", share}, {"l1_reverse", share}};
      EXPECT_EQ(shares(layer), expected) << name << " " << bias;
    }
  }
}

TEST(GateSaturation, CountsEachGateOfEachUnit) {
  Recurrent lstm({.cell = "lstm", .input_size = 2, .hidden_size = 4});
  set_all(lstm, 0, 0);
  Tensor& bias = lstm.parameters()[2]->value;  // bias_ih_l0: i, f, g, o
  bias[1] = 10;                                // one unit's i
  bias[4] = bias[5] = -10;                     // two f
  bias[8] = 10;                                // a g, which is a tanh: does not count
  EXPECT_EQ(shares(lstm), (Shares{{"l0", 3.0 / 12}}));
  Recurrent mlstm({.cell = "mlstm", .input_size = 2, .hidden_size = 4, .heads = 2});
  set_all(mlstm, 0, 0);
  mlstm.parameters()[1]->value[3 * 4 + 2] = -10;     // one of four o
  mlstm.parameters()[1]->value[4 * 4 + 2 + 1] = 10;  // one of two f
  EXPECT_EQ(shares(mlstm), (Shares{{"l0", 2.0 / 6}}));
}

// The second cell of each step has no bias_ih: its gates stay half open.
TEST(GateSaturation, CountsEveryCellOfAStep) {
  Recurrent layer({.cell = "lstm", .input_size = 2, .hidden_size = 4, .bidirectional = true, .transitions = 2});
  set_all(layer, 0, 10);
  EXPECT_EQ(shares(layer), (Shares{{"l0", 0.5}, {"l0_reverse", 0.5}}));
}

// No cell reads what is not there.
TEST(GateSaturation, OfEveryCellIsAShare) {
  for (const Cell& cell : all_cells()) {
    RecurrentOptions options{.cell = std::string(cell.name), .input_size = 2, .hidden_size = 4, .layers = 2};
    if (cell.output_layer) options.proj_size = 2;
    Recurrent layer(options);
    layer.initialize(1);
    for (const auto& [name, share] : shares(layer)) EXPECT_TRUE(share >= 0 && share <= 1) << cell.name << ' ' << name;
  }
}

TEST(GateSaturation, OfACellWithoutSigmoidsIsLeftOut) {
  Recurrent layer({.cell = "rnn", .input_size = 2, .hidden_size = 4});
  EXPECT_TRUE(shares(layer).empty());
}

}  // namespace
}  // namespace carousel
