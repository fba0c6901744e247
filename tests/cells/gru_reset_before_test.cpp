// Oracle: the equations in gru_reset_before.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

TEST(GruResetBefore, OneUnitFollowsItsEquationWithTheResetBeforeTheProduct) {
  OneUnit unit("gru_reset_before");
  double h = unit.start(0);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const double r = sigmoid(unit.a(0, x, h)), z = sigmoid(unit.a(1, x, h));
    const double n = std::tanh(unit.a(2, x, r * h));
    expected.push_back(h = (1 - z) * n + z * h);
  }
  unit.expect_outputs(expected);
}

}  // namespace
}  // namespace carousel
