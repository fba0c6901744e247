// Oracle: the equations in lstm.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

// All weights zero: every gate is 0.5 and g is 0, so c halves at each step and h = tanh(c) / 2.
TEST(Lstm, WithZeroWeightsTheCellStateHalves) {
  OneUnit unit("lstm", 1, 3);
  unit.zero_weights_and_states();
  unit.initial(0, 1).value[0] = 0.8;
  unit.expect_outputs({std::tanh(0.4) / 2, std::tanh(0.2) / 2, std::tanh(0.1) / 2});
}

// The gate order i, f, g, o: each bias opens one gate and only that one.
TEST(Lstm, EachRowBlockIsItsOwnGate) {
  const double x = 0.6, c0 = 0.8;
  for (int gate = 0; gate < 4; ++gate) {
    OneUnit unit("lstm", 1, 3);
    unit.zero_weights_and_states();
    unit.set_inputs({x, x, x});
    unit.weight("weight_ih_l0")[2] = 1;  // g = tanh(x)
    unit.weight("bias_ih_l0")[gate] = 1.5;
    unit.initial(0, 1).value[0] = c0;
    const double i = sigmoid(gate == 0 ? 1.5 : 0), f = sigmoid(gate == 1 ? 1.5 : 0);
    const double g = std::tanh(x + (gate == 2 ? 1.5 : 0)), o = sigmoid(gate == 3 ? 1.5 : 0);
    double c = c0;
    std::vector<double> expected;
    for (int t = 0; t < 3; ++t) {
      c = f * c + i * g;
      expected.push_back(o * std::tanh(c));
    }
    unit.expect_outputs(expected);
  }
}

}  // namespace
}  // namespace carousel
