// Oracle: the equations in mgu.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

TEST(Mgu, OneUnitFollowsItsEquation) {
  OneUnit unit("mgu");
  double h = unit.start(0);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const double f = sigmoid(unit.a(0, x, h)), n = std::tanh(unit.a(1, x, f * h));
    expected.push_back(h = (1 - f) * h + f * n);
  }
  unit.expect_outputs(expected);
}

}  // namespace
}  // namespace carousel
