// Oracles: counting; an lstm of zeros but for its biases; and a sample cut by hand.
#include "tasks/gate_probe.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

TEST(GateProbe, TakesOneTrainingSampleIn64AtMost) {
  EXPECT_EQ(probe_size(5, 32), 1);
  EXPECT_EQ(probe_size(640, 32), 10);
  EXPECT_EQ(probe_size(100000, 64), 32);
  EXPECT_EQ(probe_size(100000, 8), 8);
  std::vector<std::int64_t> training(192);
  std::iota(training.begin(), training.end(), 1000);
  EXPECT_EQ(probe_samples(training, 32), (std::vector<std::int64_t>{1000, 1064, 1128}));
}

// The gates open at the third step, when x is 1.
TEST(GateProbe, LooksAtTheFirstStepsOnly) {
  Sequential network(Recurrent{{.cell = "lstm", .input_size = 1, .hidden_size = 2}}, Pool{"last"});
  for (Parameter* parameter : network.parameters()) {
    parameter->value.fill(parameter->name.starts_with("weight_ih") ? 20.0f : 0.0f);
  }
  const Tensor values({4, 1, 1}, std::vector<float>{0, 0, 1, 1});
  const auto share = [&](std::int64_t most_steps) {
    Tape<float> tape;
    SequenceLayout layout;
    const auto shares = probe_gates(network, tape, layout, {.values = &values, .lengths = {}}, most_steps);
    EXPECT_EQ(shares.size(), 1U);
    EXPECT_EQ(shares[0].first, "l0");
    return shares[0].second;
  };
  EXPECT_EQ(share(0), 0.5);
  EXPECT_EQ(share(3), 1.0 / 3);
  EXPECT_EQ(share(2), 0);
  EXPECT_EQ(share(9), 0.5);
}

}  // namespace
}  // namespace carousel
