// Oracle: the equations in jordan.h by hand: one hidden unit, three outputs.
#include <array>

#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

using Three = std::array<double, 3>;

Three activated(OutputActivation activation, Three y) {
  double total = 0;
  for (double& value : y) {
    if (activation == OutputActivation::kTanh) value = std::tanh(value);
    if (activation == OutputActivation::kSigmoid) value = sigmoid(value);
    if (activation == OutputActivation::kSoftmax) value = std::exp(value);
    total += value;
  }
  for (double& value : y) value = activation == OutputActivation::kSoftmax ? value / total : value;
  return y;
}

void expect_equations(const char* cell, OutputActivation activation, double decay) {
  RecurrentCase<double> c(find_cell(cell),
                          {.time_steps = 4, .samples = 1, .input_size = 1, .hidden_size = 1, .proj_size = 3});
  c.output_layer = {activation, decay};
  const BasicTensor<double>&W = c.weights[0].value, &R = c.weights[1].value, &b_ih = c.weights[2].value;
  const BasicTensor<double>&b_hh = c.weights[3].value, &W_hr = c.weights[4].value, &b_hr = c.weights[5].value;
  Three s;
  std::copy_n(c.initial(0, 1).value.data(), 3, s.begin());
  std::vector<double> expected;
  for (std::int64_t t = 0; t < 4; ++t) {
    double sum = W[0] * c.x.value[t] + b_ih[0] + b_hh[0];
    for (std::size_t j = 0; j < 3; ++j) sum += R[static_cast<std::int64_t>(j)] * s[j];
    const double u = c.cell->name == "jordan" ? std::tanh(sum) : sigmoid(sum);
    Three y;
    for (std::int64_t j = 0; j < 3; ++j) y[static_cast<std::size_t>(j)] = W_hr[j] * u + b_hr[j];
    y = activated(activation, y);
    for (std::size_t j = 0; j < 3; ++j) s[j] = decay * s[j] + y[j];
    expected.insert(expected.end(), y.begin(), y.end());
  }
  Tape<double> tape;
  tape.set_recording(false);
  const auto result = c.run(tape);
  expect_near(result.output.value().span(), expected, 1e-14, std::string(c.cell->name));
  expect_near(result.final[1].value().span(), std::vector<double>(s.begin(), s.end()), 1e-14, "s");
}

TEST(Jordan, OneUnitAndThreeOutputsFollowTheirEquations) {
  for (const auto activation :
       {OutputActivation::kNone, OutputActivation::kTanh, OutputActivation::kSigmoid, OutputActivation::kSoftmax}) {
    for (const double decay : {0.0, 0.7}) {
      expect_equations("jordan", activation, decay);
      expect_equations("jordan_sigmoid", activation, decay);
    }
  }
}

}  // namespace
}  // namespace carousel
