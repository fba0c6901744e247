// Oracle: the equations in lstm_variants.h by hand, each variant written out.
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

// step(unit, x, h, c) makes the new h and c.
template <class F>
void expect_variant(const char* name, F step) {
  OneUnit unit(name);
  double h = unit.start(0), c = unit.start(1);
  std::vector<double> expected;
  for (const double x : unit.inputs()) {
    step(unit, x, h, c);
    expected.push_back(h);
  }
  unit.expect_outputs(expected);
}

TEST(LstmVariants, PeepholesSeeTheOldCellStateAndThoseOfTheOutputGateTheNewOne) {
  expect_variant("lstm_peephole", [](OneUnit& unit, double x, double& h, double& c) {
    const double i = sigmoid(unit.a(0, x, h) + unit.u(0) * c), f = sigmoid(unit.a(1, x, h) + unit.u(1) * c);
    c = f * c + i * std::tanh(unit.a(2, x, h));
    h = sigmoid(unit.a(3, x, h) + unit.u(2) * c) * std::tanh(c);
  });
}

TEST(LstmVariants, NoInputGateAddsTheWholeCandidate) {
  expect_variant("lstm_nig", [](OneUnit& unit, double x, double& h, double& c) {
    c = sigmoid(unit.a(0, x, h) + unit.u(0) * c) * c + std::tanh(unit.a(1, x, h));
    h = sigmoid(unit.a(2, x, h) + unit.u(1) * c) * std::tanh(c);
  });
}

TEST(LstmVariants, NoForgetGateKeepsTheWholeCellState) {
  expect_variant("lstm_nfg", [](OneUnit& unit, double x, double& h, double& c) {
    c = c + sigmoid(unit.a(0, x, h) + unit.u(0) * c) * std::tanh(unit.a(1, x, h));
    h = sigmoid(unit.a(2, x, h) + unit.u(1) * c) * std::tanh(c);
  });
}

TEST(LstmVariants, NoOutputGateGivesTheCellStateOut) {
  expect_variant("lstm_nog", [](OneUnit& unit, double x, double& h, double& c) {
    const double i = sigmoid(unit.a(0, x, h) + unit.u(0) * c), f = sigmoid(unit.a(1, x, h) + unit.u(1) * c);
    c = f * c + i * std::tanh(unit.a(2, x, h));
    h = std::tanh(c);
  });
}

TEST(LstmVariants, NoInputActivationTakesTheCandidateAsItIs) {
  expect_variant("lstm_niaf", [](OneUnit& unit, double x, double& h, double& c) {
    const double i = sigmoid(unit.a(0, x, h) + unit.u(0) * c), f = sigmoid(unit.a(1, x, h) + unit.u(1) * c);
    c = f * c + i * unit.a(2, x, h);
    h = sigmoid(unit.a(3, x, h) + unit.u(2) * c) * std::tanh(c);
  });
}

TEST(LstmVariants, NoOutputActivationGivesTheCellStateOutAsItIs) {
  expect_variant("lstm_noaf", [](OneUnit& unit, double x, double& h, double& c) {
    const double i = sigmoid(unit.a(0, x, h) + unit.u(0) * c), f = sigmoid(unit.a(1, x, h) + unit.u(1) * c);
    c = f * c + i * std::tanh(unit.a(2, x, h));
    h = sigmoid(unit.a(3, x, h) + unit.u(2) * c) * c;
  });
}

TEST(LstmVariants, CoupledGatesShareOneBetweenThem) {
  expect_variant("cifg", [](OneUnit& unit, double x, double& h, double& c) {
    const double i = sigmoid(unit.a(0, x, h));
    c = (1 - i) * c + i * std::tanh(unit.a(1, x, h));
    h = sigmoid(unit.a(2, x, h)) * std::tanh(c);
  });
  expect_variant("cifg_peephole", [](OneUnit& unit, double x, double& h, double& c) {
    const double i = sigmoid(unit.a(0, x, h) + unit.u(0) * c);
    c = (1 - i) * c + i * std::tanh(unit.a(1, x, h));
    h = sigmoid(unit.a(2, x, h) + unit.u(1) * c) * std::tanh(c);
  });
}

}  // namespace
}  // namespace carousel
