// Oracle: the equations in lstm_fgr.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

TEST(LstmFgr, TheGatesSeeHAndTheGatesOfTheStepBefore) {
  OneUnit unit("lstm_fgr");
  const auto R = [&](int gate, int column) -> double& { return unit.weight("weight_hh_l0")[gate * 4 + column]; };
  for (int column = 1; column < 4; ++column) R(2, column) = 0;  // as a Recurrent layer has it: g sees h alone
  const BasicTensor<double> b = unit.weight("bias_hh_l0");
  double h = unit.start(0), c = unit.start(1), i = unit.start(2), f = unit.start(3), o = unit.start(4);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const auto a = [&](int gate) {
      return unit.wx(gate, x) + b[gate] + R(gate, 0) * h + R(gate, 1) * i + R(gate, 2) * f + R(gate, 3) * o;
    };
    const double ai = a(0), af = a(1), ag = a(2), ao = a(3);
    i = sigmoid(ai + unit.u(0) * c);
    f = sigmoid(af + unit.u(1) * c);
    c = f * c + i * std::tanh(ag);
    o = sigmoid(ao + unit.u(2) * c);
    expected.push_back(h = o * std::tanh(c));
  }
  unit.expect_outputs(expected);
}

}  // namespace
}  // namespace carousel
