// Oracle: the equations in sru.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

// Both gates see the cell state before the step.
TEST(Sru, OneUnitFollowsItsEquations) {
  OneUnit unit("sru");
  double c = unit.start(1);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const double f = sigmoid(unit.wx(1, x) + unit.u(0) * c), r = sigmoid(unit.wx(2, x) + unit.u(1) * c);
    c = f * c + (1 - f) * unit.wx(0, x);
    expected.push_back(r * c + (1 - r) * unit.wx(3, x));
  }
  unit.expect_outputs(expected);
}

}  // namespace
}  // namespace carousel
