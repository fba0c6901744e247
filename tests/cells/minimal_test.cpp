// Oracle: the equations in minimal.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

// The candidate of the forms called positive.
double positive(double v) { return v >= 0 ? v + 0.5 : sigmoid(v); }
double as_it_is(double v) { return v; }

// Inputs that bring the candidate, W_n x + b_n with W_n = 2, to both sides of 0.
void set_both_sides(OneUnit& unit, int candidate) {
  unit.set_inputs({1, -1.5, 0.75, -0.5});
  unit.weight("weight_ih_l0")[candidate] = 2;
  unit.weight("bias_ih_l0")[candidate] = 0.1;
}

void expect_min_gru(const char* name, double (*candidate)(double)) {
  OneUnit unit(name);
  set_both_sides(unit, 1);
  double h = unit.start(0);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const double z = sigmoid(unit.wx(0, x));
    expected.push_back(h = (1 - z) * h + z * candidate(unit.wx(1, x)));
  }
  unit.expect_outputs(expected);
}

void expect_min_lstm(const char* name, double (*candidate)(double), bool shared) {
  OneUnit unit(name);
  set_both_sides(unit, 2);
  double h = unit.start(0);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const double f = sigmoid(unit.wx(0, x)), i = sigmoid(unit.wx(1, x)), sum = shared ? f + i : 1;
    expected.push_back(h = f / sum * h + i / sum * candidate(unit.wx(2, x)));
  }
  unit.expect_outputs(expected);
}

TEST(MinGru, OneUnitFollowsItsEquations) {
  expect_min_gru("min_gru", as_it_is);
  expect_min_gru("min_gru_positive", positive);
}

TEST(MinLstm, TheGatesShareOneBetweenThem) {
  expect_min_lstm("min_lstm", as_it_is, true);
  expect_min_lstm("min_lstm_positive", positive, true);
}

TEST(MinLstm, ThePlainFormHasTheGatesAsTheyAre) { expect_min_lstm("min_lstm_plain", as_it_is, false); }

}  // namespace
}  // namespace carousel
