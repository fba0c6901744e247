// Oracle: the equations of the paper, with sigmoids where lstm_1997.h has tanh: G(v) = 4 sigmoid(v) - 2,
// S(v) = 2 sigmoid(v) - 1.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

template <class F, class G>
void expect_no_forget_gate(const char* name, F squash_input, G squash_state) {
  OneUnit unit(name);
  double h = unit.start(0), c = unit.start(1);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    c = c + sigmoid(unit.a(0, x, h)) * squash_input(unit.a(1, x, h));
    expected.push_back(h = sigmoid(unit.a(2, x, h)) * squash_state(c));
  }
  unit.expect_outputs(expected);
}

TEST(Lstm1997, OneUnitFollowsThePaper) {
  expect_no_forget_gate(
      "lstm_1997", [](double v) { return 4 * sigmoid(v) - 2; }, [](double v) { return 2 * sigmoid(v) - 1; });
}

TEST(Lstm1997, TheLaterFormSquashesByTanh) {
  const auto squash = [](double v) { return std::tanh(v); };
  expect_no_forget_gate("lstm_1997_tanh", squash, squash);
}

}  // namespace
}  // namespace carousel
