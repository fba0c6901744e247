// Zoneout and deep transition of a Recurrent layer: options, parameters, training and inference. Oracle: named by each
// test.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/sum.h"
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
  Sequential network{Recurrent{
      {.cell = "lstm", .input_size = 3, .hidden_size = 5, .zoneout = 0.25, .zoneout_memory = 0.5, .transitions = 2}}};
  Sequential copy = build_sequential(network.describe().branches[0]);
  const auto from = network.named_tensors(), to = copy.named_tensors();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t k = 0; k < from.size(); ++k) to[k].second->value = from[k].second->value;
  const Tensor x = random_tensor({4, 2, 3}, 3);
  expect_near(copy.predict(x), network.predict(x), 0, "prediction");
  expect_near(training_pass(copy, x, 1), training_pass(network, x, 1), 0, "training");
}

// Oracle: the list written out by hand; a bias for each gate, of forget gates 1.
TEST(RecurrentStep, EveryCellOfAStepHasItsParameters) {
  Recurrent layer({.cell = "lstm_peephole",
                   .input_size = 3,
                   .hidden_size = 5,
                   .proj_size = 2,
                   .bidirectional = true,
                   .transitions = 3});
  layer.initialize(1);
  std::vector<std::string> names;
  std::int64_t count = 0;
  for (const Parameter* parameter : layer.parameters()) {
    names.push_back(parameter->name);
    count += parameter->value.elements();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"weight_ih_l0",
                                             "weight_hh_l0",
                                             "bias_ih_l0",
                                             "bias_hh_l0",
                                             "weight_hr_l0",
                                             "weight_ph_l0",
                                             "weight_hh_l0_t1",
                                             "bias_hh_l0_t1",
                                             "weight_hr_l0_t1",
                                             "weight_ph_l0_t1",
                                             "weight_hh_l0_t2",
                                             "bias_hh_l0_t2",
                                             "weight_hr_l0_t2",
                                             "weight_ph_l0_t2",
                                             "weight_ih_l0_reverse",
                                             "weight_hh_l0_reverse",
                                             "bias_ih_l0_reverse",
                                             "bias_hh_l0_reverse",
                                             "weight_hr_l0_reverse",
                                             "weight_ph_l0_reverse",
                                             "weight_hh_l0_reverse_t1",
                                             "bias_hh_l0_reverse_t1",
                                             "weight_hr_l0_reverse_t1",
                                             "weight_ph_l0_reverse_t1",
                                             "weight_hh_l0_reverse_t2",
                                             "bias_hh_l0_reverse_t2",
                                             "weight_hr_l0_reverse_t2",
                                             "weight_ph_l0_reverse_t2"}));
  EXPECT_EQ(count, count_parameters(layer.describe()));
  for (const char* name : {"bias_ih_l0", "bias_hh_l0_t1", "bias_hh_l0_reverse_t2"}) {
    const Tensor& bias = layer.parameter(name)->value;
    for (std::int64_t j = 0; j < 20; ++j) EXPECT_EQ(bias[j], j / 5 == 1 ? 1.0f : 0.0f) << name << " " << j;
  }
  for (std::int64_t j = 0; j < 20; ++j) EXPECT_EQ(layer.parameter("bias_hh_l0")->value[j], 0.0f);
}

// Oracle: the embedded values themselves as the input.
TEST(RecurrentStep, AFoldedEmbeddingGivesTheSameOutputAndGradient) {
  const RecurrentOptions options{.cell = "gru", .input_size = 3, .hidden_size = 4, .zoneout = 0.25, .transitions = 2};
  Sequential folded{Embedding{6, 3}, Recurrent{options}, Pool{"mean"}}, plain{Recurrent{options}, Pool{"mean"}};
  const auto from = folded.parameters(), to = plain.parameters();
  for (std::size_t k = 0; k < to.size(); ++k) to[k]->value = from[k + 1]->value;
  const IdTensor ids({4, 2}, std::vector<std::int32_t>{1, 2, 3, 1, 5, 5, 2, 1});
  Tensor embedded({4, 2, 3});
  for (std::int64_t k = 0; k < 8; ++k) std::copy_n(from[0]->value.data() + ids[k] * 3, 3, embedded.data() + k * 3);
  const Variable a = folded(ids), b = plain(embedded);
  expect_near(a.value(), b.value(), 1e-6, "output");
  backward(sum(a));
  backward(sum(b));
  for (std::size_t k = 0; k < to.size(); ++k) expect_near(from[k + 1]->gradient, to[k]->gradient, 1e-6, to[k]->name);
}

TEST(RecurrentStep, OptionsThatDoNotFitAreNamed) {
  expect_error(Code::kUsage, {"sru", "leave transitions out"},
               [] { Recurrent({.cell = "sru", .input_size = 1, .hidden_size = 2, .transitions = 2}); });
  expect_error(Code::kUsage, {"gru", "transitions is 0"},
               [] { Recurrent({.cell = "gru", .input_size = 1, .hidden_size = 2, .transitions = 0}); });
  expect_error(Code::kUsage, {"gru", "zoneout_memory"},
               [] { Recurrent({.cell = "gru", .input_size = 1, .hidden_size = 2, .zoneout_memory = 0.5}); });
  expect_error(Code::kUsage, {"lstm", "zoneout is 1"},
               [] { Recurrent({.cell = "lstm", .input_size = 1, .hidden_size = 2, .zoneout = 1}); });
  expect_error(Code::kUsage, {"mlstm", "zoneout"},
               [] { Recurrent({.cell = "mlstm", .input_size = 1, .hidden_size = 2, .zoneout = 0.5}); });
}

}  // namespace
}  // namespace carousel
