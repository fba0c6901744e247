// Where a weight stands, in the words of its cell. Oracle: the order of the gates and unit weights in the cell's
// header.
#include <gtest/gtest.h>

#include "tasks/training_run.h"

namespace carousel {
namespace {

// The words for one element of the parameter of this name.
std::string words(const char* cell, const std::string& parameter, std::int64_t element) {
  Sequential network;
  network.add("recurrent", std::make_unique<Recurrent>(
                               RecurrentOptions{.cell = cell, .input_size = 2, .hidden_size = 3, .layers = 2}));
  for (const Parameter* found : network.parameters()) {
    if (found->name == parameter) return describe_weight(network, *found, element);
  }
  return "no parameter " + parameter;
}

TEST(DescribeWeight, AGateAUnitAndAColumn) {
  EXPECT_EQ(words("lstm", "weight_ih_l0", (2 * 3 + 1) * 2 + 1), "recurrent.weight_ih_l0, gate g, unit 1, column 1");
  EXPECT_EQ(words("gru", "bias_hh_l1", 2 * 3 + 2), "recurrent.bias_hh_l1, gate n, unit 2");
}

TEST(DescribeWeight, UnitWeightsHaveNamesOfTheirOwn) {
  EXPECT_EQ(words("sru", "weight_ph_l0", 3 + 2), "recurrent.weight_ph_l0, weight r, unit 2");
  EXPECT_EQ(words("depth_gated_peephole", "weight_ph_l1", 4 * 3), "recurrent.weight_ph_l1, weight l, unit 0");
}

TEST(DescribeWeight, AnEntryHasRows) {
  EXPECT_EQ(words("grid_lstm", "weight_in", 4 * 2 + 1), "recurrent.weight_in, row 4, column 1");
  EXPECT_EQ(words("grid_lstm", "bias_in", 5), "recurrent.bias_in, row 5");
}

TEST(DescribeWeight, GatesPastLayersAndInitialStatesHaveRows) {
  Sequential network;
  RecurrentOptions options{.cell = "lstm", .input_size = 2, .hidden_size = 3, .layers = 2};
  options.connection = "highway";
  options.learned_initial_state = true;
  network.add("recurrent", std::make_unique<Recurrent>(options));
  std::vector<std::string> got;
  for (const Parameter* found : network.parameters()) {
    if (found->name == "weight_highway_l1") got.push_back(describe_weight(network, *found, 2 * 3 + 1));
    if (found->name == "initial_c_l1") got.push_back(describe_weight(network, *found, 2));
  }
  EXPECT_EQ(
      got, (std::vector<std::string>{"recurrent.weight_highway_l1, row 2, column 1", "recurrent.initial_c_l1, row 2"}));
}

}  // namespace
}  // namespace carousel
