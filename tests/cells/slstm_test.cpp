// Oracle: the equations without the stabiliser m, which cancels out of c / n.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

void expect_unstabilised(const char* name, double (*forget)(double)) {
  OneUnit unit(name);
  for (int state = 1; state < 4; ++state) unit.initial(0, state).value[0] = 0;  // a fresh sequence
  double h = unit.start(0), c = 0, n = 0;
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const double i = std::exp(unit.a(0, x, h)), f = forget(unit.a(1, x, h));
    c = f * c + i * std::tanh(unit.a(2, x, h));
    n = f * n + i;
    expected.push_back(h = sigmoid(unit.a(3, x, h)) * c / n);
  }
  unit.expect_outputs(expected);
}

TEST(Slstm, OneUnitEqualsTheEquationsWithoutStabiliser) { expect_unstabilised("slstm", sigmoid); }

TEST(Slstm, TheExponentialForgetGateToo) {
  expect_unstabilised("slstm_exp", [](double a) { return std::exp(a); });
}

// A sum of 800 in the input gate: exp(800) is infinite in double, and h is still o tanh(z), as for any i on a first
// step.
TEST(Slstm, GatesBeyondTheRangeOfDoubleStayFinite) {
  OneUnit unit("slstm", 1, 1);
  unit.zero_weights_and_states();
  unit.set_inputs({1});
  unit.weight("weight_ih_l0")[0] = 800;
  unit.weight("weight_ih_l0")[2] = 0.5;
  unit.weight("weight_ih_l0")[3] = 0.3;
  unit.expect_outputs({sigmoid(0.3) * std::tanh(0.5)});
}

}  // namespace
}  // namespace carousel
