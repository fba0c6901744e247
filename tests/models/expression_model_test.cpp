// A network of a cell given as text. Oracles: whole sequences, the network itself, and the counter of allocations.
#include <gtest/gtest.h>

#include "carousel/carousel.h"
#include "models/inspect.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

constexpr const char* kExpressions[] = {
    "expr:g0=sigmoid; g1=tanh; h=g0*h+(1-g0)*g1",
    "expr:g0=sigmoid; g1=sigmoid(x+(1-g0)*tanh(c)*r); g2=tanh; g3=sigmoid; c=g0*c+g1*g2; h=g3*c+(1-g3)*relu(g2)"};

Sequential network_of(const char* cell) {
  return Sequential{Recurrent{{.cell = cell, .input_size = 3, .hidden_size = 21, .layers = 2}}, Linear{21, 5}};
}

TEST(ExpressionModel, StreamsInEveryFormatWhatTheWholeSequenceGives) {
  for (const char* cell : kExpressions) {
    Sequential network = network_of(cell);
    network.initialize(1);
    const Tensor x = random_tensor({7, 1, 3}, 1);
    for (const char* dtype : {"f32", "bf16", "int8"}) {
      set_inference_dtype(network, dtype);
      const Tensor whole = network.predict(x);
      Stream stream(network, {.dtype = dtype});
      const AllocationCounter allocations;
      for (std::int64_t t = 0; t + 1 < 7; ++t) stream.step({x.data() + 3 * t, 3});
      const auto y = stream.step({x.data() + 3 * 6, 3});
      EXPECT_EQ(allocations.count(), 0) << cell;
      expect_near(y, std::span(whole.data() + 6 * 5, 5), 2e-6, std::string(dtype) + " " + cell);
    }
  }
}

TEST(ExpressionModel, IsSavedAndLoadedBitForBit) {
  const TemporaryFolder folder;
  for (const char* cell : kExpressions) {
    Model model("test", network_of(cell));
    model.network().initialize(1);
    model.save(folder / "model.safetensors");
    const Tensor x = random_tensor({4, 3, 3}, 1);
    const Model loaded = Model::load(folder / "model.safetensors");
    expect_near(loaded.network().predict(x), model.network().predict(x), 0, cell);
  }
}

TEST(ExpressionModel, IsWorkedThrough) {
  for (const char* cell : kExpressions) {
    Sequential network = network_of(cell);
    network.initialize(1);
    const Tensor x = random_tensor({4, 2, 3}, 3);
    const auto step = work_through_step(network, {.values = &x, .time_step = 2});
    ASSERT_TRUE(step.has_value());
    EXPECT_LT(step->largest_difference, 1e-6) << cell;
  }
}

}  // namespace
}  // namespace carousel
