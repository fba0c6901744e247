// Oracle: the network before it was saved: the same outputs, bit for bit; and training goes on with the same bits.
#include "carousel/model.h"

#include <gtest/gtest.h>

#include <cstring>

#include "carousel/attention.h"
#include "carousel/convolution.h"
#include "carousel/error.h"
#include "cells/cell.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

TEST(Model, EveryCellIsSavedAndLoadedBitForBit) {
  const TemporaryFolder folder;
  for (const Cell& cell : all_cells()) {
    Model model("test", Sequential{Recurrent{{.cell = std::string(cell.name),
                                              .input_size = 3,
                                              .hidden_size = 5,
                                              .layers = 2,
                                              .bidirectional = true}},
                                   Pool{"last"}, Linear{10, 2}});
    model.set_task_data(R"({"labels":["a","b"]})");
    model.set_training(R"({"epochs":3})");
    const std::string path = folder.path() + "/" + std::string(cell.name) + ".safetensors";
    model.save(path);
    const Model loaded = Model::load(path);
    EXPECT_EQ("test", loaded.task());
    EXPECT_EQ(model.task_data(), loaded.task_data());
    EXPECT_EQ(model.training(), loaded.training());
    EXPECT_EQ(model.parameter_count(), loaded.parameter_count());
    const Tensor x = random_tensor({4, 3, 3}, 1);
    expect_near(loaded.network().predict(x), model.network().predict(x), 0, std::string(cell.name));
  }
}

TEST(Model, AttentionAndConvolutionAreSavedAndLoadedBitForBit) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/m.safetensors";
  const Tensor x = random_tensor({5, 3, 4}, 1), memory = random_tensor({6, 3, 2}, 2);
  const std::vector<std::int32_t> lengths{5, 2, 4};
  for (const std::string score : {"general", "concat", "additive"}) {
    const bool additive = score == "additive";
    const Model model("test",
                      Sequential{Conv1d{{.input_size = 4, .output_size = 6, .kernel_size = 2}}, Activation{"gelu"},
                                 MultiHeadAttention{{.input_size = 6, .heads = 3, .causal = true}},
                                 MultiHeadAttention{{.input_size = 6, .heads = 2, .memory_size = 2}},
                                 AttentionDecoder{{.cell = "gru",
                                                   .input_size = 6,
                                                   .hidden_size = 5,
                                                   .memory_size = 2,
                                                   .score = score,
                                                   .attention_size = score == "general" ? 0 : 3,
                                                   .output_size = additive ? 0 : 4}}});
    const AttentionPass pass{.values = &x, .lengths = lengths, .memory_values = &memory};
    model.save(path);
    const Model loaded = Model::load(path);
    EXPECT_EQ(model.parameter_count(), loaded.parameter_count());
    expect_near(loaded.network().predict(pass), model.network().predict(pass), 0, score);
  }
}

// A file holds no biases that the network does not have, and is not taken to lack them.
// Oracle: the same layers without a part around them.
TEST(Model, ASequentialMayBeALayerOfAnother) {
  const TemporaryFolder folder;
  const auto layers = [] {
    return Sequential{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 4}}, Linear{4, 2}};
  };
  Sequential flat = layers(), network;
  network.add("body", std::make_unique<Sequential>(layers()));
  network.add("last", std::make_unique<Pool>("mean"));
  flat.add("last", std::make_unique<Pool>("mean"));
  const Model model("test", std::move(network));
  const Tensor x = random_tensor({4, 3, 3}, 1);
  const State zero = model.network().zero_state(3);
  ASSERT_EQ(zero.values.size(), 1U);
  State state, flat_state;
  const Tensor y = flat.predict(x, {}, nullptr, &flat_state);
  expect_near(model.network().predict(x, {}, &zero, &state), y, 0, "output");
  expect_near(state.values[0], flat_state.values[0], 0, "state");
  const std::string path = folder.path() + "/parts.safetensors";
  model.save(path);
  const Model loaded = Model::load(path);
  EXPECT_EQ(loaded.network().named_tensors().front().first, "body.0.weight_ih_l0");
  EXPECT_EQ(loaded.parameter_count(), model.parameter_count());
  expect_near(loaded.network().predict(x), y, 0, "loaded");
  set_inference_dtype(loaded.network(), "int8");
  set_inference_dtype(flat, "int8");
  expect_near(loaded.network().predict(x), flat.predict(x), 0, "int8");
}

TEST(Model, LargeLayersWithoutBiasesAreSavedAndLoaded) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/m.safetensors";
  std::vector<Sequential> networks;
  networks.push_back(Sequential{Linear{3, 1500, false}});
  networks.push_back(Sequential{Conv1d{{.input_size = 3, .output_size = 1500, .bias = false}}});
  networks.push_back(Sequential{Recurrent{{.input_size = 3, .hidden_size = 192, .bias = false}}});
  networks.push_back(Sequential{AttentionPool{3, 1500}});
  networks.push_back(Sequential{Linear{3, 288}, MultiHeadAttention{{.input_size = 288, .bias = false}}});
  const Tensor x = random_tensor({2, 1, 3}, 1);
  for (Sequential& network : networks) {
    const Model model("test", std::move(network));
    model.save(path);
    const Model loaded = Model::load(path);
    expect_near(loaded.network().predict(x), model.network().predict(x), 0,
                model.network().modules().back().second->describe().type);
  }
}

TEST(Model, TrainingContinuesWithTheSameBitsAfterLoading) {
  const TemporaryFolder folder;
  Model model("test",
              Sequential{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 5}}, Pool{"last"}, Linear{5, 1}});
  const auto train = [](Sequential& network, int steps, std::uint64_t first) {
    for (int k = 0; k < steps; ++k) {
      backward(network(random_tensor({4, 1, 3}, first + static_cast<std::uint64_t>(k))));
      for (Parameter* p : network.parameters()) {
        for (std::int64_t j = 0; j < p->value.elements(); ++j) p->value[j] -= 0.1f * p->gradient[j];
        p->gradient.fill(0);
      }
    }
  };
  if (!kTraining) {
    expect_error(Code::kUsage, {"inference only"}, [&] { train(model.network(), 1, 0); });
    return;
  }
  train(model.network(), 3, 0);
  model.save(folder.path() + "/m.safetensors");
  const Model loaded = Model::load(folder.path() + "/m.safetensors");
  train(model.network(), 3, 10);
  train(loaded.network(), 3, 10);
  const auto a = model.network().parameters(), b = loaded.network().parameters();
  for (std::size_t k = 0; k < a.size(); ++k) expect_near(b[k]->value, a[k]->value, 0, a[k]->name);
}

TEST(Model, ScaleIsSavedAndNotTrained) {
  const TemporaryFolder folder;
  Sequential network;
  network.add("input",
              std::make_unique<Scale>(Tensor({2}, std::vector<float>{2, 3}), Tensor({2}, std::vector<float>{1, -1})));
  network.add("output", std::make_unique<Linear>(2, 1));
  network.initialize(2);
  const Model model("test", std::move(network));
  EXPECT_EQ(3, model.parameter_count());
  model.save(folder.path() + "/m.safetensors");
  const Model loaded = Model::load(folder.path() + "/m.safetensors");
  EXPECT_EQ("input.factor", loaded.network().named_tensors()[0].first);
  EXPECT_EQ(3.0f, loaded.network().named_tensors()[0].second->value[1]);
}

}  // namespace
}  // namespace carousel
