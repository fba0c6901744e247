// Oracle: the equations in indrnn.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

// w = 1, u = 1/2: half of the past is added, and what falls below zero is cut.
TEST(IndRnn, OneUnitKeepsItsShareAndCutsAtZero) {
  OneUnit unit("indrnn");
  unit.zero_weights_and_states();
  unit.set_inputs({1, 2, -5, 4});
  unit.weight("weight_ih_l0")[0] = 1;
  unit.weight("weight_ph_l0")[0] = 0.5;
  unit.expect_outputs({1, 2.5, 0, 4}, 0);
}

TEST(IndRnn, TheFormWithTanhFollowsItsEquation) {
  OneUnit unit("indrnn_tanh");
  double h = unit.start(0);
  std::vector<double> expected;
  for (const double x : unit.inputs()) expected.push_back(h = std::tanh(unit.wx(0, x) + unit.u(0) * h));
  unit.expect_outputs(expected);
}

}  // namespace
}  // namespace carousel
