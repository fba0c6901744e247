// Oracle: the equations in gru.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

// All weights zero: z = 0.5 and n = 0, so h halves at each step.
TEST(Gru, WithZeroWeightsTheStateHalves) {
  OneUnit unit("gru", 1, 3);
  unit.zero_weights_and_states();
  unit.initial(0, 0).value[0] = 0.8;
  unit.expect_outputs({0.4, 0.2, 0.1});
}

// The reset gate acts behind the product: b_hn is inside r (R_n h + b_hn), b_in is not.
TEST(Gru, OneUnitFollowsItsEquationWithTheResetBehindTheProduct) {
  OneUnit unit("gru");
  double h = unit.start(0);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const double r = sigmoid(unit.a(0, x, h)), z = sigmoid(unit.a(1, x, h));
    const double n = std::tanh(unit.wx(2, x) + r * unit.rh(2, h));
    expected.push_back(h = (1 - z) * n + z * h);
  }
  unit.expect_outputs(expected);
}

}  // namespace
}  // namespace carousel
