// Oracle: the equations in clockwork.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

// A unit of period 3 that starts with clock 1 steps at t = 2 and t = 5, and else keeps its value.
TEST(Clockwork, OneUnitStepsWhenItsClockIsZero) {
  OneUnit unit("clockwork", 1, 7);
  unit.fixed_units[0] = 3;
  unit.initial(0, 1).value[0] = 1;
  const std::vector<double> x = unit.inputs();
  const double h0 = unit.start(0), h2 = std::tanh(unit.a(0, x[2], h0)), h5 = std::tanh(unit.a(0, x[5], h2));
  unit.expect_outputs({h0, h0, h2, h2, h2, h5, h5});
}

}  // namespace
}  // namespace carousel
