// Zoneout of a Recurrent layer: its options, training and inference. Oracle: named by each test.
#include <gtest/gtest.h>

#include "layers/module.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

Tensor training_pass(Sequential& network, const Tensor& x, std::uint64_t step) {
  Tape<float> tape;
  SequenceLayout layout;
  return Tensor(
      detail::run_pass(network, tape, layout, {.values = &x, .lengths = {}}, true, {1, Purpose::kDropout, step})
          .value());
}

// Oracle: h of a linear rnn without weights is its bias from the first step on; a unit that is kept stays at 0.
TEST(RecurrentStep, TrainingDrawsForEachPassLayerAndDirectionAndInferenceDoesNot) {
  Sequential network{Recurrent{
      {.cell = "rnn_linear", .input_size = 1, .hidden_size = 64, .layers = 1, .bidirectional = true, .zoneout = 0.5}}};
  for (const auto& [name, tensor] : network.named_tensors())
    tensor->value.fill(name.find("bias_ih") != std::string::npos ? 1.0f : 0.0f);
  const Tensor x({1, 1, 1});
  const Tensor mean = network.predict(x), first = training_pass(network, x, 1), second = training_pass(network, x, 2);
  expect_near(training_pass(network, x, 1), first, 0, "the same pass");
  int kept[2] = {}, both = 0, again = 0;
  for (std::int64_t j = 0; j < 128; ++j) {
    EXPECT_EQ(0.5f, mean[j]);
    ASSERT_TRUE(first[j] == 0 || first[j] == 1) << first[j];
    kept[j / 64] += first[j] == 0 ? 1 : 0;
    if (j < 64) both += first[j] == 0 && first[j + 64] == 0 ? 1 : 0;
    again += first[j] == 0 && second[j] == 0 ? 1 : 0;
  }
  for (const int count : kept) EXPECT_NEAR(32, count, 4 * 4);  // 4 deviations of 64 halves
  EXPECT_NEAR(16, both, 4 * std::sqrt(64 * 3.0 / 16));         // each direction by itself
  EXPECT_NEAR(32, again, 4 * std::sqrt(128 * 3.0 / 16));       // and each pass
}

// Oracle: the layer that the description is of.
TEST(RecurrentStep, ADescriptionBuildsTheSameLayer) {
  Sequential network{
      Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 5, .zoneout = 0.25, .zoneout_memory = 0.5}}};
  Sequential copy = build_sequential(network.describe().branches[0]);
  const auto from = network.named_tensors(), to = copy.named_tensors();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t k = 0; k < from.size(); ++k) to[k].second->value = from[k].second->value;
  const Tensor x = random_tensor({4, 2, 3}, 3);
  expect_near(copy.predict(x), network.predict(x), 0, "prediction");
  expect_near(training_pass(copy, x, 1), training_pass(network, x, 1), 0, "training");
}

TEST(RecurrentStep, OptionsThatDoNotFitAreNamed) {
  expect_error(Code::kUsage, {"gru", "zoneout_memory"},
               [] { Recurrent({.cell = "gru", .input_size = 1, .hidden_size = 2, .zoneout_memory = 0.5}); });
  expect_error(Code::kUsage, {"lstm", "zoneout is 1"},
               [] { Recurrent({.cell = "lstm", .input_size = 1, .hidden_size = 2, .zoneout = 1}); });
  expect_error(Code::kUsage, {"mlstm", "zoneout"},
               [] { Recurrent({.cell = "mlstm", .input_size = 1, .hidden_size = 2, .zoneout = 0.5}); });
}

}  // namespace
}  // namespace carousel
