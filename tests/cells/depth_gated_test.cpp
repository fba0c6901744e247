// Oracle: the equations in depth_gated.h by hand, for two layers of one unit each.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

// One step of a layer with peepholes or without; `below`: what gate d lets in.
double step_layer(OneUnit& unit, int layer, bool peephole, double x, double below, double& h, double& c) {
  const auto p = [&](int k) { return peephole ? unit.u(k, layer) : 0; };
  const double i = sigmoid(unit.a(0, x, h, layer) + p(0) * c), f = sigmoid(unit.a(1, x, h, layer) + p(1) * c);
  c = below + f * c + i * std::tanh(unit.a(2, x, h, layer));
  return h = sigmoid(unit.a(3, x, h, layer) + p(2) * c) * std::tanh(c);
}

void expect_two_layers(const char* name, bool peephole) {
  OneUnit unit(name, 2);
  double h0 = unit.start(0), c0 = unit.start(1), h1 = unit.start(0, 1), c1 = unit.start(1, 1);
  const int of_c = peephole ? 3 : 0;  // the weights of d stand behind the peepholes
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    const double x1 = step_layer(unit, 0, peephole, x, 0, h0, c0);
    const double d = sigmoid(unit.wx(4, x1, 1) + unit.u(of_c, 1) * c1 + unit.u(of_c + 1, 1) * c0);
    expected.push_back(step_layer(unit, 1, peephole, x1, d * c0, h1, c1));
  }
  unit.expect_outputs(expected);
}

TEST(DepthGated, TheCellStateOfTheLayerBelowComesInThroughItsGate) { expect_two_layers("depth_gated", false); }

TEST(DepthGated, WithPeepholesAsWell) { expect_two_layers("depth_gated_peephole", true); }

}  // namespace
}  // namespace carousel
