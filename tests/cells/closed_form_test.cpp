// Closed forms of each cell: numbers worked out by hand from the equations in the cell's header, one gate at a time.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/cells/recurrent_case.h"

namespace carousel {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One unit, one input, all weights zero but those that a test sets.
RecurrentCase<double> one_unit(const char* cell, std::vector<double> x) {
  RecurrentCase<double> c(find_cell(cell), {.time_steps = static_cast<std::int64_t>(x.size()),
                                            .samples = 1,
                                            .input_size = 1,
                                            .hidden_size = 1,
                                            .initial = false});
  for (auto& weight : c.weights) weight.value.fill(0);
  std::copy(x.begin(), x.end(), c.x.value.data());
  return c;
}

std::vector<double> run(RecurrentCase<double>& c) {
  Tape<double> tape;
  tape.set_recording(false);
  const auto span = c.run(tape).output.value().span();
  return {span.begin(), span.end()};
}

// Oracle: h_t = tanh(w x_t + r h_{t-1} + b), by hand.
TEST(Rnn, OneUnitFollowsItsEquation) {
  auto c = one_unit("rnn", {0.5, -1.0, 2.0});
  c.weights[0].value[0] = 0.7;
  c.weights[1].value[0] = -0.4;
  c.weights[2].value[0] = 0.1;
  c.weights[3].value[0] = 0.2;
  double h = 0;
  std::vector<double> expected;
  for (double x : {0.5, -1.0, 2.0}) expected.push_back(h = std::tanh(0.7 * x - 0.4 * h + 0.3));
  expect_near(run(c), expected, 1e-15, "h");
}

// Oracle: a running sum of the positive inputs: relu with w = r = 1.
TEST(RnnRelu, OneUnitAddsUpAndCutsAtZero) {
  auto c = one_unit("rnn_relu", {1.0, 2.0, -5.0, 4.0});
  c.weights[0].value[0] = 1;
  c.weights[1].value[0] = 1;
  expect_near(run(c), std::vector<double>{1, 3, 0, 4}, 0, "h");
}

// Oracle: all weights zero: every gate is 0.5 and g is 0, so c halves at each step and h = tanh(c) / 2.
TEST(Lstm, WithZeroWeightsTheCellStateHalves) {
  auto c = one_unit("lstm", {3.0, -2.0, 1.0});
  c.initial(0, 1).value[0] = 0.8;
  expect_near(run(c), std::vector<double>{std::tanh(0.4) / 2, std::tanh(0.2) / 2, std::tanh(0.1) / 2}, 1e-15, "h");
}

// Oracle: the gate order i, f, g, o: each bias opens one gate and only that one.
TEST(Lstm, EachRowBlockIsItsOwnGate) {
  const double x = 0.6, c0 = 0.8;
  for (int gate = 0; gate < 4; ++gate) {
    auto c = one_unit("lstm", {x, x, x});
    c.weights[0].value[2] = 1;  // g = tanh(x)
    c.weights[2].value[gate] += 1.5;
    c.initial(0, 1).value[0] = c0;
    const double i = sigmoid(gate == 0 ? 1.5 : 0), f = sigmoid(gate == 1 ? 1.5 : 0);
    const double g = std::tanh(x + (gate == 2 ? 1.5 : 0)), o = sigmoid(gate == 3 ? 1.5 : 0);
    double state = c0;
    std::vector<double> expected;
    for (int t = 0; t < 3; ++t) {
      state = f * state + i * g;
      expected.push_back(o * std::tanh(state));
    }
    expect_near(run(c), expected, 1e-15, std::string(find_cell("lstm").gates[static_cast<std::size_t>(gate)]));
  }
}

// Oracle: all weights zero: z = 0.5 and n = 0, so h halves at each step.
TEST(Gru, WithZeroWeightsTheStateHalves) {
  auto c = one_unit("gru", {3.0, -2.0, 1.0});
  c.initial(0, 0).value[0] = 0.8;
  expect_near(run(c), std::vector<double>{0.4, 0.2, 0.1}, 1e-15, "h");
}

// Oracle: the equations by hand. r, z and n get different biases, and the reset gate acts behind the product: b_hn is
// inside r (R_n h + b_hn), b_in is not.
TEST(Gru, OneUnitFollowsItsEquationWithTheResetBehindTheProduct) {
  auto c = one_unit("gru", {0.5, -1.0, 2.0});
  const double W[3] = {0.3, -0.6, 0.9}, R[3] = {0.5, 0.2, -0.7}, bi[3] = {0.1, -0.2, 0.4}, bh[3] = {-0.3, 0.25, 0.6};
  for (int k = 0; k < 3; ++k) {
    c.weights[0].value[k] = W[k];
    c.weights[1].value[k] = R[k];
    c.weights[2].value[k] = bi[k];
    c.weights[3].value[k] = bh[k];
  }
  double h = 0;
  std::vector<double> expected;
  for (double x : {0.5, -1.0, 2.0}) {
    const double r = sigmoid(W[0] * x + bi[0] + R[0] * h + bh[0]), z = sigmoid(W[1] * x + bi[1] + R[1] * h + bh[1]);
    const double n = std::tanh(W[2] * x + bi[2] + r * (R[2] * h + bh[2]));
    expected.push_back(h = (1 - z) * n + z * h);
  }
  expect_near(run(c), expected, 1e-15, "h");
}

}  // namespace
}  // namespace carousel
