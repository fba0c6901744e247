// Oracle: the equations in rnn.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

template <class F>
void expect_plain_unit(const char* name, F activation) {
  OneUnit unit(name);
  double h = unit.start(0);
  std::vector<double> expected;
  for (const double x : unit.inputs()) expected.push_back(h = activation(unit.a(0, x, h)));
  unit.expect_outputs(expected);
}

TEST(Rnn, OneUnitFollowsItsEquation) {
  expect_plain_unit("rnn", [](double a) { return std::tanh(a); });
  expect_plain_unit("rnn_sigmoid", [](double a) { return sigmoid(a); });
  expect_plain_unit("rnn_linear", [](double a) { return a; });
}

// Oracle: a running sum of the positive inputs: relu with w = r = 1.
TEST(RnnRelu, OneUnitAddsUpAndCutsAtZero) {
  OneUnit unit("rnn_relu");
  unit.zero_weights_and_states();
  unit.set_inputs({1, 2, -5, 4});
  unit.weight("weight_ih_l0")[0] = 1;
  unit.weight("weight_hh_l0")[0] = 1;
  unit.expect_outputs({1, 3, 0, 4}, 0);
}

}  // namespace
}  // namespace carousel
