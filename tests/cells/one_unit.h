// one_unit.h: one unit of any cell, for closed forms by hand: what a test writes down is the equations of the cell's
// header on plain numbers.
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cells/recurrent_case.h"

namespace carousel {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One sample, one input, one unit for each layer. Weights, inputs and initial states are random: no two gates are
// alike.
struct OneUnit : RecurrentCase<double> {
  explicit OneUnit(std::string_view name, int layers = 1, std::int64_t time_steps = 4)
      : RecurrentCase(find_cell(name),
                      {.time_steps = time_steps, .samples = 1, .input_size = 1, .hidden_size = 1, .layers = layers}) {}

  BasicTensor<double>& weight(const std::string& name) {
    for (auto& parameter : weights) {
      if (parameter.name == name) return parameter.value;
    }
    ADD_FAILURE() << cell->name << " has no " << name;
    return x.value;
  }

  void zero_weights_and_states() {
    for (auto& parameter : weights) parameter.value.fill(0);
  }
  void set_inputs(const std::vector<double>& inputs) { std::copy(inputs.begin(), inputs.end(), x.value.data()); }
  std::vector<double> inputs() const { return {x.value.data(), x.value.data() + x.value.elements()}; }
  double start(int state, int layer = 0) { return initial(layer, state).value[0]; }
  double u(int k, int layer = 0) { return weight("weight_ph_l" + std::to_string(layer))[k]; }

  // W x + b_ih of this gate.
  double wx(int gate, double input, int layer = 0) {
    const std::string suffix = "_l" + std::to_string(layer);
    return weight("weight_ih" + suffix)[gate] * input + weight("bias_ih" + suffix)[gate];
  }
  // R h + b_hh of this gate.
  double rh(int gate, double h, int layer = 0) {
    const std::string suffix = "_l" + std::to_string(layer);
    return weight("weight_hh" + suffix)[gate] * h + weight("bias_hh" + suffix)[gate];
  }
  double a(int gate, double input, double h, int layer = 0) { return wx(gate, input, layer) + rh(gate, h, layer); }

  // The outputs of the top layer, step by step.
  void expect_outputs(const std::vector<double>& expected, double tolerance = 1e-14) {
    Tape<double> tape;
    tape.set_recording(false);
    expect_near(run(tape).output.value().span(), expected, tolerance, std::string(cell->name));
  }
};

}  // namespace carousel
