// Oracle: the equations in grid_lstm.h by hand.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

struct Memory {
  double h, m;
};

// One LSTM of the grid from the sums of its four gates i, f, g, o.
Memory step_dimension(const double (&a)[4], double m, bool standard) {
  const double next = sigmoid(a[1]) * m + sigmoid(a[0]) * std::tanh(a[2]), o = sigmoid(a[3]);
  return {standard ? o * std::tanh(next) : std::tanh(o * next), next};
}

// priority: the depth gates see the new h_time.
void expect_grid(const char* name, bool priority, bool standard) {
  OneUnit unit(name);
  Memory time{unit.start(2), unit.start(3)};
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const auto a = [&](int gate, double h_time) { return unit.a(gate, x, h_time); };
    const double time_sums[4] = {a(0, time.h), a(1, time.h), a(2, time.h), a(3, time.h)};
    const Memory next = step_dimension(time_sums, time.m, standard);
    const double seen = priority ? next.h : time.h, below = unit.weight_lower.value[0] * x;
    const double depth_sums[4] = {a(4, seen), a(5, seen), a(6, seen), a(7, seen)};
    expected.push_back(step_dimension(depth_sums, below, standard).h);
    time = next;
  }
  unit.expect_outputs(expected);
}

TEST(GridLstm, OneUnitFollowsItsEquations) { expect_grid("grid_lstm", false, false); }
TEST(GridLstm, WithPriorityTheDepthSeesTheNewTime) { expect_grid("grid_lstm_priority", true, false); }
TEST(GridLstm, TheStandardOutputIsTheGateTimesTanhOfTheMemory) {
  expect_grid("grid_lstm_standard", false, true);
  expect_grid("grid_lstm_priority_standard", true, true);
}

}  // namespace
}  // namespace carousel
