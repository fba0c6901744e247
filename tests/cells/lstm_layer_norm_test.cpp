// Oracle: the equations in lstm_layer_norm.h and gru.h in plain loops over whole rows.
#include <numeric>

#include "carousel/recurrent.h"
#include "tests/cells/one_unit.h"

namespace carousel {
namespace {

using Doubles = std::vector<double>;

// (v - mean) / sqrt(variance + 1e-5), times gain, plus bias.
Doubles layer_norm_row(const Doubles& v, const double* gain, const double* bias) {
  const auto n = static_cast<double>(v.size());
  const double mean = std::accumulate(v.begin(), v.end(), 0.0) / n;
  double variance = 0;
  for (const double value : v) variance += (value - mean) * (value - mean) / n;
  Doubles y;
  for (std::size_t j = 0; j < v.size(); ++j) {
    y.push_back((v[j] - mean) / std::sqrt(variance + 1e-5) * gain[j] + (bias ? bias[j] : 0));
  }
  return y;
}

Doubles times(const BasicTensor<double>& weight, const double* x) {
  Doubles y;
  const std::int64_t columns = weight.shape()[1];
  for (std::int64_t row = 0; row < weight.shape()[0]; ++row) {
    double sum = 0;
    for (std::int64_t k = 0; k < columns; ++k) sum += weight[row * columns + k] * x[k];
    y.push_back(sum);
  }
  return y;
}

// One layer and direction, its weights in the order of RecurrentCase.
struct RowsCase : RecurrentCase<double> {
  std::size_t H;

  RowsCase(const char* name, const CaseSizes& s)
      : RecurrentCase(find_cell(name), s), H(static_cast<std::size_t>(s.hidden_size)) {}

  const BasicTensor<double>& weight(const std::string& name) {
    for (auto& parameter : weights) {
      if (parameter.name == name) return parameter.value;
    }
    ADD_FAILURE() << name;
    return x.value;
  }
  const double* units() { return weight("weight_ph_l0").data(); }

  // LN(W x) + b_ih and LN(R h) + b_hh of all gates.
  Doubles from_x(std::int64_t t, std::int64_t n) {
    const double* row = x.value.data() + (t * sizes.samples + n) * sizes.input_size;
    return layer_norm_row(times(weight("weight_ih_l0"), row), units(), weight("bias_ih_l0").data());
  }
  Doubles from_h(const Doubles& h) {
    const double* gain = units() + weight("bias_ih_l0").elements();
    return layer_norm_row(times(weight("weight_hh_l0"), h.data()), gain, weight("bias_hh_l0").data());
  }
  Doubles start(int state, std::int64_t n) {
    const double* row = initial(0, state).value.data() + n * state_width(state);
    return {row, row + state_width(state)};
  }

  // step(t, n, h): the next h of sample n.
  template <class Step>
  void expect_steps(const Step& step) {
    Doubles expected(static_cast<std::size_t>(sizes.time_steps * sizes.samples * output_size()));
    for (std::int64_t n = 0; n < sizes.samples; ++n) {
      Doubles h = start(0, n);
      for (std::int64_t t = 0; t < sizes.time_steps; ++t) {
        h = step(t, n, h);
        std::copy(h.begin(), h.end(), expected.begin() + (t * sizes.samples + n) * output_size());
      }
    }
    Tape<double> tape;
    expect_near(run(tape).output.value().span(), expected, 1e-13, std::string(cell->name));
  }
};

TEST(LstmLayerNorm, ALayerFollowsItsEquations) {
  for (const std::int64_t proj_size : {0, 2}) {
    RowsCase c("lstm_layer_norm",
               {.time_steps = 4, .samples = 3, .input_size = 5, .hidden_size = 4, .proj_size = proj_size});
    std::vector<Doubles> cells;
    for (std::int64_t n = 0; n < 3; ++n) cells.push_back(c.start(1, n));
    c.expect_steps([&](std::int64_t t, std::int64_t n, const Doubles& h) {
      const Doubles x = c.from_x(t, n), r = c.from_h(h);
      Doubles& state = cells[static_cast<std::size_t>(n)];
      for (std::size_t j = 0; j < 4; ++j) {
        const auto a = [&](std::size_t gate) { return x[gate * 4 + j] + r[gate * 4 + j]; };
        state[j] = sigmoid(a(1)) * state[j] + sigmoid(a(0)) * std::tanh(a(2));
      }
      const Doubles normal = layer_norm_row(state, c.units() + 8 * 4, c.units() + 9 * 4);
      Doubles u;
      for (std::size_t j = 0; j < 4; ++j) u.push_back(sigmoid(x[12 + j] + r[12 + j]) * std::tanh(normal[j]));
      return proj_size > 0 ? times(c.weight("weight_hr_l0"), u.data()) : u;
    });
  }
}

TEST(GruLayerNorm, ALayerFollowsItsEquations) {
  RowsCase c("gru_layer_norm", {.time_steps = 4, .samples = 3, .input_size = 5, .hidden_size = 4});
  c.expect_steps([&](std::int64_t t, std::int64_t n, const Doubles& h) {
    const Doubles x = c.from_x(t, n), q = c.from_h(h);
    Doubles next;
    for (std::size_t j = 0; j < 4; ++j) {
      const double r = sigmoid(x[j] + q[j]), z = sigmoid(x[4 + j] + q[4 + j]);
      next.push_back((1 - z) * std::tanh(x[8 + j] + r * q[8 + j]) + z * h[j]);
    }
    return next;
  });
}

// Oracle: W and R times 1000 change nothing, so far as 1e-5 is little beside the variance.
TEST(LstmLayerNorm, TheScaleOfTheWeightsDoesNotMatter) {
  const CaseSizes sizes{.time_steps = 4, .samples = 2, .input_size = 3, .hidden_size = 5};
  RecurrentCase<double> c(find_cell("lstm_layer_norm"), sizes), large(find_cell("lstm_layer_norm"), sizes);
  for (int k = 0; k < 2; ++k) {
    for (double& value : large.weights[static_cast<std::size_t>(k)].value.span()) value *= 1000;
  }
  Tape<double> tape, large_tape;
  expect_near(large.run(large_tape).output.value().span(), c.run(tape).output.value().span(), 2e-4, "output");
}

TEST(LstmLayerNorm, GainsStartAtOneAndBiasesAtZero) {
  for (const char* cell : {"lstm_layer_norm", "gru_layer_norm"}) {
    Recurrent layer({.cell = cell, .input_size = 2, .hidden_size = 3});
    layer.initialize(1);
    const Tensor& units = layer.parameter("weight_ph_l0")->value;
    const std::int64_t gains = std::string_view(cell) == "lstm_layer_norm" ? 9 * 3 : 6 * 3;
    for (std::int64_t j = 0; j < units.elements(); ++j) EXPECT_EQ(j < gains ? 1.0f : 0.0f, units[j]) << cell << j;
  }
}

}  // namespace
}  // namespace carousel
