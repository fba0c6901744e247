#include "models/plan.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/thread_pool.h"
#include "carousel/error.h"
#include "kernels/peak.h"

namespace carousel {
namespace {

// Embedding, Dropout, bidirectional gru, Linear, with two threads.
class Plan : public testing::Test {
 protected:
  void SetUp() override { set_threads(2); }
  void TearDown() override { set_threads(1); }

  static Sequential text_network() {
    Sequential network;
    network.add("words", std::make_unique<Embedding>(10, 3));
    network.add("mask", std::make_unique<Dropout>(0.5));
    network.add("gru", std::make_unique<Recurrent>(
                           RecurrentOptions{.cell = "gru", .input_size = 3, .hidden_size = 4, .bidirectional = true}));
    network.add("out", std::make_unique<Linear>(8, 2));
    return network;
  }
  static Sequential lstm() {
    return Sequential{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 4}}, Linear{4, 1}};
  }
};

// Oracle: the rules of layers/scan/scan_forward.cpp: at least 4 samples a thread, directions side by side.
TEST_F(Plan, SplitFollowsSamplesAndDirections) {
  Sequential one = lstm(), two = text_network();
  EXPECT_EQ(plan_network(one, {.samples = 32}).layers[0].split, "2 loops of 16 samples");
  EXPECT_EQ(plan_network(one, {.samples = 33}).layers[0].split, "2 loops of 17 samples");
  EXPECT_EQ(plan_network(one, {.samples = 7}).layers[0].split, "1 loop of 7 samples");
  EXPECT_EQ(plan_network(two, {.samples = 32}).layers[2].split, "2 loops of 32 samples");
}

// 4 H H multiply-adds of a sequence: 2^19 or more are shared.
TEST_F(Plan, OneLoopOfALargeLayerSharesItsProducts) {
  Sequential large{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 363}}};
  Sequential small{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 362}}};
  const LayerPlan shared = plan_network(large, {.samples = 1}).layers[0];
  EXPECT_EQ(shared.split, "1 loop of 1 samples, its products shared by the threads");
  EXPECT_TRUE(shared.slow.empty());
  EXPECT_EQ(plan_network(small, {.samples = 1}).layers[0].slow.size(), 1U);
  EXPECT_EQ(plan_network(large, {.samples = 1, .training = true}).layers[0].slow.size(), 1U);  // backward does not
  set_threads(1);
  EXPECT_EQ(plan_network(large, {.samples = 1}).layers[0].split, "1 loop of 1 samples");
}

TEST_F(Plan, SaysWhichPathIsSlowAndWhy) {
  Sequential network = lstm();
  const NetworkPlan wide = plan_network(network, {.samples = 8}), narrow = plan_network(network, {.samples = 7});
  EXPECT_TRUE(wide.layers[0].slow.empty());
  EXPECT_NO_THROW(require_fast_plan(wide));
  ASSERT_EQ(narrow.layers[0].slow.size(), 1U);
  EXPECT_NE(narrow.layers[0].slow[0].find("1 of 2 threads busy: 7 samples"), std::string::npos);
  EXPECT_NE(plan_line(narrow).find("; 0 in 1 loop of 7 samples (the time loop keeps 1 of"), std::string::npos);
  EXPECT_NE(plan_text(narrow).find("\n    slow: the time loop keeps 1 of 2"), std::string::npos);
  try {
    require_fast_plan(narrow);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUsage);
    EXPECT_NE(std::string(error.what()).find("7 samples are too few"), std::string::npos);
  }
}

// Oracle: Dropout::forward writes the rows out in training only, the low precision path always.
TEST_F(Plan, FoldsEmbeddingsWhereTheRowsReachARecurrentLayer) {
  Sequential network = text_network();
  EXPECT_TRUE(plan_network(network, {.samples = 32}).layers[0].slow.empty());
  const NetworkPlan training = plan_network(network, {.samples = 32, .training = true});
  EXPECT_EQ(training.layers[0].slow.at(0), "not folded into the layer above: mask gives each row a mask of its own");
  const NetworkPlan int8 = plan_network(network, {.samples = 32, .dtype = "int8"});
  EXPECT_EQ(int8.layers[0].slow.at(0), "not folded into the layer above: the weights of gru are int8");
  RecurrentOptions residual{.cell = "gru", .input_size = 3, .hidden_size = 3};
  residual.connection = "residual";
  Sequential past{Embedding{10, 3}, Recurrent{residual}};
  EXPECT_EQ(plan_network(past, {.samples = 32}).layers[0].slow.at(0),
            "not folded into the layer above: its rows go past the lowest layer of 1");
  Sequential plain{Embedding{10, 3}, Linear{3, 1}};
  EXPECT_EQ(plan_network(plain, {}).layers[0].slow.at(0),
            "not folded into the layer above: no recurrent layer is above it");
}

TEST_F(Plan, KnowsWhetherTheNetworkStreams) {
  Sequential yes = lstm(), no = text_network();
  EXPECT_EQ(plan_network(yes, {}).no_stream, "");
  EXPECT_NE(plan_network(no, {}).no_stream, "");
  EXPECT_EQ(plan_json(plan_network(yes, {}))["stream"]["possible"], true);
  EXPECT_EQ(plan_json(plan_network(no, {}))["stream"]["possible"], false);
  EXPECT_NE(plan_text(plan_network(yes, {})).find("(Stream): possible"), std::string::npos);
  EXPECT_NE(plan_text(plan_network(no, {})).find("(Stream): not possible: "), std::string::npos);
}

// Oracle: cells/stream_layer.h: int8 takes at most 16000 inputs.
TEST_F(Plan, KnowsWhetherTheNetworkStreamsInItsFormat) {
  Sequential wide{Recurrent{{.cell = "rnn", .input_size = 16001, .hidden_size = 1}}};
  EXPECT_EQ(plan_network(wide, {.dtype = "bf16"}).no_stream, "");
  EXPECT_NE(plan_network(wide, {.dtype = "int8"}).no_stream.find("16001 inputs"), std::string::npos);
}

TEST_F(Plan, NamesLayersInsideBranchesAndTheInstructionSet) {
  std::vector<Sequential> branches;
  branches.push_back(lstm());
  branches.push_back(lstm());
  Sequential network;
  network.add("both", std::make_unique<Sum>(std::move(branches)));
  const NetworkPlan plan = plan_network(network, {.samples = 8});
  EXPECT_EQ(plan.layers[0].layer, "both.0.0");
  EXPECT_EQ(plan.layers[3].layer, "both.1.1");
  const auto json = plan_json(plan);
  EXPECT_EQ(json["instruction_set"], kernels::instruction_set());
  EXPECT_EQ(json["threads"], 2);
  EXPECT_EQ(json["layers"][0]["split"], "2 loops of 4 samples");
  EXPECT_NE(plan_text(plan).find("both.0.0"), std::string::npos);
}

}  // namespace
}  // namespace carousel
