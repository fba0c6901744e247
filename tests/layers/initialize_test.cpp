// Oracle: the definitions: blocks with orthonormal rows (or columns), and the bound of the uniform distribution.
#include "layers/initialize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "carousel/layers.h"
#include "cells/cell.h"

namespace carousel {
namespace {

void expect_orthonormal_rows(const float* block, std::int64_t rows, std::int64_t columns, std::int64_t row_step,
                             std::int64_t column_step) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double dot = 0;
      for (std::int64_t k = 0; k < columns; ++k) {
        dot += double{block[i * row_step + k * column_step]} * double{block[j * row_step + k * column_step]};
      }
      EXPECT_NEAR(i == j ? 1 : 0, dot, 1e-6) << i << " " << j;
    }
  }
}

TEST(Initialize, EveryGateOfARecurrentWeightIsOrthogonal) {
  Tensor square({3 * 7, 7}), wide({2 * 4, 9}), tall({2 * 9, 4});
  initialize_orthogonal({1, Purpose::kWeights, 0}, 7, square.view());
  initialize_orthogonal({1, Purpose::kWeights, 1}, 4, wide.view());
  initialize_orthogonal({1, Purpose::kWeights, 2}, 9, tall.view());
  for (int gate = 0; gate < 3; ++gate) expect_orthonormal_rows(square.data() + gate * 49, 7, 7, 7, 1);
  for (int gate = 0; gate < 2; ++gate) expect_orthonormal_rows(wide.data() + gate * 36, 4, 9, 9, 1);
  for (int gate = 0; gate < 2; ++gate) expect_orthonormal_rows(tall.data() + gate * 36, 4, 9, 1, 4);
}

TEST(Initialize, TheForgetGateStartsOpenAndTheOtherBiasesAreZero) {
  Recurrent layer({.cell = "lstm", .input_size = 3, .hidden_size = 5, .layers = 2, .bidirectional = true});
  layer.initialize(4);
  int biases = 0;
  for (const Parameter* p : layer.parameters()) {
    if (!p->name.starts_with("bias")) continue;
    ++biases;
    for (std::int64_t k = 0; k < 20; ++k) {
      EXPECT_EQ(p->name.starts_with("bias_ih") && k / 5 == 1 ? 1.0f : 0.0f, p->value[k]) << p->name << " " << k;
    }
  }
  EXPECT_EQ(8, biases);
}

// Oracle: the names of the gates. The f of mgu is the share of what is new: it forgets where it is 1.
TEST(Initialize, EveryForgetGateOfEveryCellStartsOpenAndNoOtherGate) {
  for (const Cell& cell : all_cells()) {
    Recurrent layer({.cell = std::string(cell.name), .input_size = 2, .hidden_size = 4, .layers = 2});
    layer.initialize(1);
    const Tensor& bias = layer.parameter("bias_ih_l1")->value;
    for (int gate = 0; gate < cell.gate_count(); ++gate) {
      const std::string_view name = cell.gates[static_cast<std::size_t>(gate)];
      const bool forgets = (name == "f" || name == "tf" || name == "df") && cell.name != "mgu";
      for (std::int64_t row = cell.first_row(gate, 4, 1); row < cell.first_row(gate + 1, 4, 1); ++row) {
        EXPECT_EQ(bias[row], forgets ? 1.0f : 0.0f) << cell.name << " " << name;
      }
    }
  }
}

TEST(Initialize, TheSameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
  Recurrent a({.cell = "gru", .input_size = 3, .hidden_size = 5}),
      b(RecurrentOptions{.cell = "gru", .input_size = 3, .hidden_size = 5});
  a.initialize(4);
  b.initialize(4);
  EXPECT_EQ(a.parameters()[0]->value[3], b.parameters()[0]->value[3]);
  b.initialize(5);
  EXPECT_NE(a.parameters()[0]->value[3], b.parameters()[0]->value[3]);
  EXPECT_NE(a.parameters()[0]->value[0], a.parameters()[1]->value[0]);
}

std::vector<float> numbers(Module& module) {
  std::vector<float> list;
  for (const Parameter* p : module.parameters())
    list.insert(list.end(), p->value.data(), p->value.data() + p->value.elements());
  return list;
}

// Oracle: the bits of the weights before the layers were put into the network.
TEST(Initialize, ASequentialKeepsWeightsThatWereSetAndInitializesTheOthers) {
  const RecurrentOptions options{.cell = "lstm", .input_size = 3, .hidden_size = 5};
  Recurrent recurrent(options);
  recurrent.initialize(7);
  Linear by_hand(5, 2);
  by_hand.bias.value[1] = 0.25f;
  const std::vector<float> drawn = numbers(recurrent), set = numbers(by_hand);
  Sequential network{std::move(recurrent), LayerNorm{5}, std::move(by_hand), Linear{2, 2}};
  EXPECT_EQ(drawn, numbers(*network.modules()[0].second));
  EXPECT_EQ(set, numbers(*network.modules()[2].second));
  EXPECT_EQ((std::vector<float>{1, 1, 1, 1, 1, 0, 0, 0, 0, 0}), numbers(*network.modules()[1].second));

  Sequential fresh{Recurrent{options}, LayerNorm{5}, Linear{5, 2}, Linear{2, 2}};
  EXPECT_EQ(numbers(*fresh.modules()[3].second), numbers(*network.modules()[3].second));
  fresh.initialize(1);  // the constructor's seed
  EXPECT_EQ(numbers(*fresh.modules()[3].second), numbers(*network.modules()[3].second));
  EXPECT_NE(drawn, numbers(*fresh.modules()[0].second));
}

// Oracle: the same, for networks inside a network: set stays, new is drawn, and not twice the same.
TEST(Initialize, NetworksInsideASequentialKeepWeightsToo) {
  std::vector<Sequential> branches(3);
  for (Sequential& branch : branches) branch.add("linear", std::make_unique<Linear>(2, 3));
  branches[0].parameters()[0]->value[4] = 0.5f;
  Sequential inner{Linear{3, 3}};
  inner.initialize(9);
  const std::vector<float> set = numbers(branches[0]), drawn = numbers(inner);
  Sequential network{Sum{std::move(branches)}, std::move(inner)};
  auto& sum = dynamic_cast<Sum&>(*network.modules()[0].second);
  EXPECT_EQ(set, numbers(sum.branches()[0]));
  EXPECT_EQ(drawn, numbers(*network.modules()[1].second));
  const std::vector<float> zeros(9);
  EXPECT_NE(zeros, numbers(sum.branches()[1]));
  EXPECT_NE(numbers(sum.branches()[1]), numbers(sum.branches()[2]));
}

}  // namespace
}  // namespace carousel
