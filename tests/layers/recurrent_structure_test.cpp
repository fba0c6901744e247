// Which recurrent weights count, and the periods and heads that decide it. Oracle: masks and periods written out by
// hand; another road to the same output.
#include "layers/recurrent/recurrent_structure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

RecurrentOptions clockwork(const std::string& periods, std::int64_t hidden_size) {
  return {.cell = "clockwork", .input_size = 3, .hidden_size = hidden_size, .periods = periods};
}

RecurrentOptions slstm(std::int64_t heads, std::int64_t hidden_size) {
  return {.cell = "slstm", .input_size = 3, .hidden_size = hidden_size, .heads = heads};
}

// Rows of 0 and 1 as a list of texts: "1100".
std::vector<std::string> rows_of(const Tensor& mask) {
  std::vector<std::string> rows;
  const std::int64_t columns = mask.shape()[1];
  for (std::int64_t k = 0; k < mask.elements(); ++k) {
    if (k % columns == 0) rows.emplace_back();
    EXPECT_TRUE(mask[k] == 0 || mask[k] == 1);
    rows.back() += mask[k] == 1 ? '1' : '0';
  }
  return rows;
}

std::vector<float> periods_of_units(const RecurrentOptions& options) {
  Tensor weight_ph({options.hidden_size});
  set_fixed_unit_weights(options, weight_ph);
  return {weight_ph.data(), weight_ph.data() + weight_ph.elements()};
}

TEST(RecurrentStructure, AModuleReadsItselfAndSlowerOnes) {
  EXPECT_EQ(rows_of(make_recurrent_mask(clockwork("1,2,4", 6))),
            (std::vector<std::string>{"111111", "111111", "001111", "001111", "000011", "000011"}));
}

TEST(RecurrentStructure, ModulesShareUnitsThatCannotBeDividedEvenly) {
  EXPECT_EQ(periods_of_units(clockwork("1,2,4", 6)), (std::vector<float>{1, 1, 2, 2, 4, 4}));
  EXPECT_EQ(periods_of_units(clockwork("1,3", 5)), (std::vector<float>{1, 1, 1, 3, 3}));
  EXPECT_EQ(periods_of_units(clockwork("5", 2)), (std::vector<float>{5, 5}));
}

TEST(RecurrentStructure, AHeadReadsItselfInEveryGate) {
  const std::vector<std::string> rows = rows_of(make_recurrent_mask(slstm(2, 4)));
  ASSERT_EQ(rows.size(), 16u);
  for (std::size_t row = 0; row < 16; ++row) EXPECT_EQ(rows[row], row % 4 < 2 ? "1100" : "0011") << row;
}

// Columns h (projected to 1), i, f, o of 2 units each; the rows of gate g, the third, see h alone.
TEST(RecurrentStructure, TheCandidateOfFullGateRecurrenceSeesHAlone) {
  const RecurrentOptions options{.cell = "lstm_fgr", .input_size = 3, .hidden_size = 2, .proj_size = 1};
  EXPECT_EQ(find_cell(options.cell).recurrent_size(cell_sizes(options)), 7);
  const std::string all = "1111111", h = "1000000";
  EXPECT_EQ(rows_of(make_recurrent_mask(options)), (std::vector<std::string>{all, all, all, all, h, h, all, all}));
}

TEST(RecurrentStructure, NoMaskWhereEverythingCounts) {
  EXPECT_EQ(make_recurrent_mask({.cell = "lstm", .input_size = 3, .hidden_size = 4}).elements(), 0);
  EXPECT_EQ(make_recurrent_mask(slstm(1, 4)).elements(), 0);
  EXPECT_EQ(make_recurrent_mask(clockwork("7", 4)).elements(), 0);
}

TEST(RecurrentStructure, ClockworkWithoutPeriodsHasFourModules) {
  const Recurrent layer(clockwork("", 4));
  EXPECT_EQ(layer.options().periods, "1,2,4,8");
  EXPECT_EQ(rows_of(layer.recurrent_mask()), (std::vector<std::string>{"1111", "0111", "0011", "0001"}));
}

// Weights that do not count are zero at the start; the period of a unit is a setting and no parameter.
TEST(RecurrentStructure, FreshWeightsKeepTheMaskAndPeriodsAreNotTrained) {
  Recurrent layer(clockwork("1,2", 4));
  layer.initialize(5);
  for (const Parameter* parameter : layer.parameters()) EXPECT_FALSE(parameter->name.starts_with("weight_ph"));
  EXPECT_EQ(layer.parameters().size(), 4u);
  const Tensor& weight = layer.parameter("weight_hh_l0")->value;
  for (std::int64_t k = 0; k < weight.elements(); ++k) EXPECT_EQ(weight[k] != 0, layer.recurrent_mask()[k] != 0) << k;
}

// Oracle: the output with these weights at zero. Numbers in blocks that do not count change nothing.
TEST(RecurrentStructure, WhatDoesNotCountIsIgnored) {
  for (const RecurrentOptions& options : {clockwork("1,3", 4), slstm(2, 4)}) {
    Sequential network{Recurrent(options)};
    auto& layer = dynamic_cast<Recurrent&>(*network.modules()[0].second);
    Tensor x({5, 2, 3});
    for (std::int64_t k = 0; k < x.elements(); ++k) x[k] = static_cast<float>(k % 7) / 4 - 0.5f;
    const Tensor expected = network.predict(x);
    const auto parameters = layer.parameters();
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [](const Parameter* parameter) { return parameter->name == "weight_hh_l0"; });
    Tensor& weight = (*found)->value;
    for (std::int64_t k = 0; k < weight.elements(); ++k) {
      if (layer.recurrent_mask()[k] == 0) weight[k] = 9;
    }
    expect_near(network.predict(x), expected, 0, options.cell);
    const Tensor masked = masked_recurrent_weight(layer, 0, 0);
    for (std::int64_t k = 0; k < masked.elements(); ++k) EXPECT_NE(masked[k], 9) << options.cell;
  }
}

// Li et al. 2018 for the recurrent weights of independent units, and peepholes as if they were not there.
TEST(RecurrentStructure, FreshUnitWeights) {
  Tensor recurrent({1000}), peepholes({3 * 1000});
  initialize_unit_weights(find_cell("indrnn"), {1, Purpose::kWeights, 0}, recurrent);
  initialize_unit_weights(find_cell("lstm_peephole"), {1, Purpose::kWeights, 0}, peepholes);
  const auto [low, high] = std::minmax_element(recurrent.data(), recurrent.data() + 1000);
  EXPECT_GE(*low, -1);
  EXPECT_LT(*low, -0.99f);
  EXPECT_GT(*high, 0.99f);
  EXPECT_LE(*high, 1);
  for (const float value : peepholes.span()) EXPECT_EQ(value, 0);
}

TEST(RecurrentStructure, PeriodsThatAreNoAscendingNumbersAreErrorsWithAnExample) {
  for (const char* periods :
       {"0,1", "2,1", "1,,2", "1,2,", "1,x", "1;2", "-1", "1.5", " 1", "3000000", "99999999999"}) {
    expect_error(Code::kUsage, {"clockwork", periods, "1,2,4,8"}, [&] { Recurrent(clockwork(periods, 8)); });
  }
}

TEST(RecurrentStructure, SizesThatCannotBeDividedAreErrors) {
  expect_error(Code::kUsage, {"clockwork", "hidden_size 2", "3 modules"}, [] { Recurrent(clockwork("1,2,4", 2)); });
  expect_error(Code::kUsage, {"slstm", "hidden_size 6", "4 heads"}, [] { Recurrent(slstm(4, 6)); });
  expect_error(Code::kUsage, {"slstm", "heads is 0"}, [] { Recurrent(slstm(0, 6)); });
}

TEST(RecurrentStructure, ACellWithoutModulesOrHeadsRefusesThem) {
  RecurrentOptions periods = clockwork("1,2", 4), heads = slstm(2, 4);
  periods.cell = heads.cell = "gru";
  expect_error(Code::kUsage, {"gru", "no modules", "leave periods out"}, [&] { Recurrent{periods}; });
  expect_error(Code::kUsage, {"gru", "no heads", "leave heads out"}, [&] { Recurrent{heads}; });
}

}  // namespace
}  // namespace carousel
