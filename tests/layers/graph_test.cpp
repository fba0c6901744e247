// Oracles: the same computation by a Sequential, whole and in one piece; closed forms.
#include "carousel/graph.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/tape.h"
#include "carousel/error.h"
#include "carousel/layers.h"
#include "carousel/operations.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

constexpr std::int64_t T = 4, N = 3, C = 2;
constexpr double kTolerance = 1e-5;

Tensor step_of(const Tensor& sequence, std::int64_t t) {
  const Shape& shape = sequence.shape();
  const std::int64_t size = shape[1] * shape[2];
  return Tensor({shape[1], shape[2]}, std::span(sequence.data() + t * size, static_cast<std::size_t>(size)));
}

// Gradients of a random projection of the output.
void send_back(const Variable& output, const Variable& direction) { backward(sum(output * direction)); }

std::vector<Tensor> take_gradients(const std::vector<Parameter*>& parameters) {
  std::vector<Tensor> gradients;
  for (Parameter* parameter : parameters) {
    gradients.push_back(parameter->gradient);
    parameter->gradient.fill(0);
  }
  return gradients;
}

// The whole sequence in one run: its scan is checked against central differences elsewhere.
TEST(Graph, StepsEqualTheWholeSequenceInOutputAndGradients) {
  for (const char* cell : {"lstm", "gru", "rnn", "clockwork", "lstm_peephole", "depth_gated", "slstm", "mlstm"}) {
    SCOPED_TRACE(cell);
    const std::string periods = cell == std::string("clockwork") ? "1,2" : "";
    Recurrent layer{{.cell = cell, .input_size = C, .hidden_size = 6, .layers = 2, .periods = periods}};
    layer.initialize(5);
    const Tensor x = random_tensor({T, N, C}, 1), direction = random_tensor({T, N, 6}, 2);
    Graph graph;
    const Variable whole = graph.run(layer, graph.input(x));
    const Tensor expected(whole.value());
    send_back(whole, graph.input(direction));
    const std::vector<Tensor> gradients = take_gradients(layer.parameters());
    graph.reset();

    std::vector<Variable> state, outputs;
    for (std::int64_t t = 0; t < T; ++t) outputs.push_back(graph.step(layer, graph.input(step_of(x, t)), state));
    const Variable joined = concatenate_rows(outputs);
    expect_near(joined.value().span(), expected.span(), kTolerance, "output");
    send_back(joined, graph.input(direction.reshaped({T * N, 6})));
    const std::vector<Tensor> by_steps = take_gradients(layer.parameters());
    for (std::size_t k = 0; k < by_steps.size(); ++k) {
      expect_near(by_steps[k], gradients[k], kTolerance, layer.parameters()[k]->name);
    }
  }
}

TEST(Graph, RunsLayersAsASequentialDoes) {
  Sequential net{Recurrent{{.cell = "gru", .input_size = C, .hidden_size = 5}}, Linear{5, 4}, Activation{"tanh"}};
  Sequential pooled{Recurrent{{.cell = "gru", .input_size = C, .hidden_size = 5}}, Pool{"mean"}};
  const Tensor x = random_tensor({T, N, C}, 3);
  const std::vector<std::int32_t> lengths{2, 4, 1};
  Graph graph;
  graph.set_recording(false);
  const Variable v = graph.input(x);
  expect_near(graph.run(net, v).value(), net.predict(x), 0, "whole");
  expect_near(graph.run(net, v, lengths).value(), net.predict(x, lengths), 0, "different lengths");
  expect_near(graph.run(pooled, v, lengths).value(), pooled.predict(x, lengths), 0, "pooled");
  Linear linear{C, 4};
  linear.initialize(1);
  const Tensor whole = Sequential{linear}.predict(x);
  expect_near(graph.run(linear, graph.input(step_of(x, 1))).value(), step_of(whole, 1), 0, "rows");
}

// Oracle: a sequence with lengths in a Sequential: the gradients of the recorded passes.
TEST(Graph, GradientsThroughDifferentLengthsAreThoseOfASequential) {
  Sequential net{Recurrent{{.cell = "gru", .input_size = C, .hidden_size = 5}}, Linear{5, 4}};
  const Tensor x = random_tensor({T, N, C}, 4), direction = random_tensor({T, N, 4}, 5);
  const std::vector<std::int32_t> lengths{2, 4, 1};
  Parameter input("x", x);
  Graph graph;
  send_back(graph.run(net, graph.parameter(input), lengths), graph.input(direction));
  const std::vector<Tensor> got = take_gradients(net.parameters());
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::int64_t n = 0; n < N; ++n) {
      const bool valid = t < lengths[static_cast<std::size_t>(n)];
      EXPECT_EQ(input.gradient[(t * N + n) * C] != 0, valid) << t << " " << n;
    }
  }
  const Variable output = net(x, lengths);
  backward(sum(output * output.tape().constant(direction.view())));
  const std::vector<Tensor> expected = take_gradients(net.parameters());
  for (std::size_t k = 0; k < got.size(); ++k) expect_near(got[k], expected[k], 1e-6, net.parameters()[k]->name);
}

// Dropout keeps or doubles: with it on some outputs are 0, with recording off none is.
TEST(Graph, RecordingTurnsDropoutOn) {
  Sequential net{Dropout{0.5}};
  Tensor ones({50, 4});
  ones.fill(1);
  Graph graph(3), same(3);
  const Tensor dropped(graph.run(net, graph.input(ones)).value());
  double total = 0;
  for (const float value : dropped.span()) {
    EXPECT_TRUE(value == 0 || value == 2);
    total += static_cast<double>(value);
  }
  EXPECT_GT(total, 100);
  EXPECT_LT(total, 300);
  expect_near(same.run(net, same.input(ones)).value(), dropped, 0, "the same seed");
  graph.set_recording(false);
  expect_near(graph.run(net, graph.input(ones)).value(), ones, 0, "no dropout");
}

// Oracle: moments of the standard normal distribution, within 4 standard errors.
TEST(Graph, NormalNumbersFollowFromSeedAndCall) {
  constexpr std::int64_t kCount = 40000;
  Graph one(7), same(7), other(8);
  const Tensor first(one.normal({kCount}).value()), second(one.normal({kCount}).value());
  double sum = 0, squares = 0, product = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    sum += static_cast<double>(first[i]);
    squares += static_cast<double>(first[i]) * static_cast<double>(first[i]);
    product += static_cast<double>(first[i]) * static_cast<double>(second[i]);
  }
  EXPECT_NEAR(sum / kCount, 0, 4 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1, 4 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(product / kCount, 0, 4 / std::sqrt(kCount));
  expect_near(same.normal({kCount}).value(), first, 0, "the same seed");
  one.reset();
  EXPECT_NE(one.normal({1}).item(), first[0]);
  EXPECT_NE(other.normal({1}).item(), first[0]);
}

TEST(Graph, NamesWhatDoesNotFit) {
  Recurrent lstm{{.cell = "lstm", .input_size = C, .hidden_size = 4}};
  Recurrent both{{.cell = "lstm", .input_size = C, .hidden_size = 4, .bidirectional = true}};
  Graph graph, other;
  const Variable x = graph.input(random_tensor({N, C}, 6));
  std::vector<Variable> state;
  graph.step(lstm, x, state);
  ASSERT_EQ(state.size(), 2u);
  std::vector<Variable> one{state[0]}, wide{state[0], x}, foreign{state[0], other.normal({N, 4})}, none;
  expect_error(Code::kUsage, {"1 states", "expected 2"}, [&] { graph.step(lstm, x, one); });
  expect_error(Code::kUsage, {"initial state 1", "[3, 2]", "[3, 4]"}, [&] { graph.step(lstm, x, wide); });
  expect_error(Code::kUsage, {"a state", "another graph"}, [&] { graph.step(lstm, x, foreign); });
  expect_error(Code::kUsage, {"bidirectional", "run()"}, [&] { graph.step(both, x, none); });
  expect_error(Code::kUsage, {"[3]", "[samples, features]"}, [&] { graph.step(lstm, row_sums(x), none); });
  expect_error(Code::kUsage, {"another graph"}, [&] { other.run(lstm, x); });
  expect_error(Code::kUsage, {"[3, 2]", "[time_steps, samples, features]"}, [&] {
    graph.run(lstm, x, std::vector<std::int32_t>{1, 1, 1});
  });
  expect_error(Code::kUsage, {"2 lengths for 3 samples"}, [&] {
    graph.run(lstm, reshape(x, {1, N, C}), std::vector<std::int32_t>{1, 1});
  });
  graph.reset();
  expect_error(Code::kUsage, {"reset"}, [&] { graph.run(lstm, x); });
}

}  // namespace
}  // namespace carousel
