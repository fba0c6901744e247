// The matrix memory: many steps at once (layers/scan/matrix_scan.h) and one by one (cells/matrix_step.h).
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/thread_pool.h"
#include "cells/matrix_step.h"
#include "tests/cells/recurrent_case.h"
#include "tests/kernels/targets.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

using Doubles = std::vector<double>;

class MatrixCell : public EveryCell {};

double sigmoid_of(double a) { return 1 / (1 + std::exp(-a)); }

// States of one sample: h, C, n, m.
template <class T>
struct MatrixStates {
  std::vector<T> values[4];

  MatrixStates(const Cell& cell, std::int64_t hidden_size, std::int64_t heads) {
    for (int k = 0; k < 4; ++k)
      values[k].resize(static_cast<std::size_t>(cell.state_width(k, {hidden_size, hidden_size, heads})));
  }
};

// A step from a row of sums W x.
template <class T>
void step(const Cell& cell, std::int64_t hidden_size, std::int64_t heads, const T* a, const T* bias,
          MatrixStates<T>& states) {
  std::vector<T> workspace(static_cast<std::size_t>(matrix_step_workspace(hidden_size, heads)));
  MatrixStep<T> s{.memory = cell.matrix_memory,
                  .hidden_size = hidden_size,
                  .heads = heads,
                  .a = a,
                  .bias = bias,
                  .workspace = workspace.data()};
  for (int k = 0; k < 4; ++k) s.state[k] = states.values[k].data();
  matrix_step(s);
}

std::vector<std::string> matrix_cell_names() {
  std::vector<std::string> list;
  for (const Cell& cell : all_cells()) {
    if (cell.has_matrix()) list.emplace_back(cell.name);
  }
  return list;
}

// Oracle: the equations without the stabiliser m: C = f C + exp(a_i) v k^T, n = f n + exp(a_i) k,
// h = o C q / max(|n q|, 1), for one head of two units.
TEST_P(MatrixCell, AStepIsThatOfTheEquationsWithoutStabiliser) {
  const BasicParameter<double> a = random_parameter("a", {12, 10}, 1.5);
  BasicParameter<double> b = random_parameter("b", {10}, 1.0);
  b.value[8] -= 2;  // so that the memory stays small enough for |n q| to be below 1 at some steps
  b.value[9] -= 2;
  MatrixStates<double> states(cell(), 2, 1);
  double C[2][2] = {}, n[2] = {};
  int below_one = 0;
  for (std::int64_t t = 0; t < 12; ++t) {
    const double* x = a.value.data() + t * 10;
    step(cell(), 2, 1, x, b.value.data(), states);
    const auto gate = [&](int row, double scale) { return x[row] * scale + b.value[row]; };
    const double q[] = {gate(0, 1), gate(1, 1)}, v[] = {gate(4, 1), gate(5, 1)};
    const double k[] = {gate(2, std::sqrt(0.5)), gate(3, std::sqrt(0.5))};
    const double i = std::exp(gate(8, 1));
    const double f = GetParam() == "mlstm" ? sigmoid_of(gate(9, 1)) : std::exp(gate(9, 1));
    for (int r = 0; r < 2; ++r) {
      for (int c = 0; c < 2; ++c) C[r][c] = f * C[r][c] + i * v[r] * k[c];
      n[r] = f * n[r] + i * k[r];
    }
    const double norm = std::abs(n[0] * q[0] + n[1] * q[1]), scale = std::exp(states.values[3][0]);
    below_one += norm < 1;
    for (int r = 0; r < 2; ++r) {
      const double h = sigmoid_of(gate(6 + r, 1)) * (C[r][0] * q[0] + C[r][1] * q[1]) / std::max(norm, 1.0);
      EXPECT_NEAR(h, states.values[0][static_cast<std::size_t>(r)], 1e-13 * (1 + std::abs(h))) << "step " << t;
      EXPECT_NEAR(n[r], states.values[2][static_cast<std::size_t>(r)] * scale, 1e-12 * (1 + std::abs(n[r])));
      EXPECT_NEAR(C[r][0], states.values[1][static_cast<std::size_t>(2 * r)] * scale, 1e-12 * (1 + std::abs(C[r][0])));
    }
  }
  EXPECT_GT(below_one, 0);  // both sides of the maximum were met
  EXPECT_LT(below_one, 12);
}

// Oracle: the step in double, for heads of all sizes up to two vectors and one, on every instruction
// set.
TEST_P(MatrixCell, AStepInFloatEqualsTheOneInDouble) {
  testing::for_every_target([&] {
    for (std::int64_t size = 1; size <= 33; ++size) {
      const std::int64_t heads = 3, H = heads * size, width = 4 * H + 2 * heads;
      const BasicParameter<double> a = random_parameter("a", {5, width}, 1.0);
      MatrixStates<double> expected(cell(), H, heads);
      MatrixStates<float> got(cell(), H, heads);
      for (std::int64_t t = 0; t < 5; ++t) {
        const double* row = a.value.data() + t * width;
        const std::vector<float> rounded(row, row + width);
        step<double>(cell(), H, heads, Doubles(rounded.begin(), rounded.end()).data(), nullptr, expected);
        step<float>(cell(), H, heads, rounded.data(), nullptr, got);
        for (int k = 0; k < 4; ++k) {
          expect_near(got.values[k], expected.values[k], 2e-5, "size " + std::to_string(size));
        }
      }
    }
  });
}

// What the steps one by one give for sample n of one layer: outputs [T, 2 H] and the final states.
struct StepByStep {
  BasicTensor<double> output;
  std::vector<MatrixStates<double>> final;  // per direction
};

StepByStep run_steps(RecurrentCase<double>& c, std::int64_t n) {
  const std::int64_t H = c.sizes.hidden_size, heads = c.sizes.heads, width = 4 * H + 2 * heads;
  const std::int64_t T = c.sizes.time_steps, N = c.sizes.samples, C = c.sizes.input_size, D = c.sizes.directions;
  const std::int64_t length = c.sizes.lengths.empty() ? T : c.sizes.lengths[static_cast<std::size_t>(n)];
  StepByStep result{BasicTensor<double>({T, D * H}), {}};
  for (int d = 0; d < D; ++d) {
    MatrixStates<double> states(*c.cell, H, heads);
    for (int k = 0; k < 4; ++k) {
      const auto size = std::ssize(states.values[k]);
      std::copy_n(c.initial(d, k).value.data() + n * size, size, states.values[k].data());
    }
    const auto& weight = c.weights[static_cast<std::size_t>(d) * c.per_scan()].value;
    const auto& bias = c.weights[static_cast<std::size_t>(d) * c.per_scan() + 1].value;
    for (std::int64_t k = 0; k < length; ++k) {
      const std::int64_t t = d == 0 ? k : length - 1 - k;
      Doubles a(static_cast<std::size_t>(width));
      for (std::int64_t row = 0; row < width; ++row) {
        for (std::int64_t j = 0; j < C; ++j) {
          a[static_cast<std::size_t>(row)] += weight[row * C + j] * c.x.value[(t * N + n) * C + j];
        }
      }
      step(*c.cell, H, heads, a.data(), bias.data(), states);
      std::copy(states.values[0].begin(), states.values[0].end(), result.output.data() + t * D * H + d * H);
    }
    result.final.push_back(std::move(states));
  }
  return result;
}

// Oracle: the steps one by one, in double.
TEST_P(MatrixCell, ChunksEqualStepsOneByOne) {
  for (const std::int64_t T : {1, 63, 64, 65, 200}) {
    const auto least = static_cast<std::int32_t>(std::min<std::int64_t>(T, 1)), all = static_cast<std::int32_t>(T);
    RecurrentCase<double> c(cell(), {.time_steps = T,
                                     .samples = 4,
                                     .input_size = 3,
                                     .hidden_size = 6,
                                     .directions = 2,
                                     .lengths = {(all + 1) / 2, all, least, all - all / 3},
                                     .heads = 2});
    Tape<double> tape;
    const auto got = c.run(tape);
    for (std::int64_t n = 0; n < 4; ++n) {
      const StepByStep expected = run_steps(c, n);
      Doubles output;
      for (std::int64_t t = 0; t < T; ++t) {
        const double* row = got.output.value().data + (t * 4 + n) * 12;
        output.insert(output.end(), row, row + 12);
      }
      const std::string name = "T = " + std::to_string(T) + ", sample " + std::to_string(n);
      expect_near(output, expected.output.span(), 1e-12, name);
      for (int d = 0; d < 2; ++d) {
        for (int k = 0; k < 4; ++k) {
          const Doubles& values = expected.final[static_cast<std::size_t>(d)].values[k];
          const double* row = got.final[static_cast<std::size_t>(4 * d + k)].value().data + n * std::ssize(values);
          expect_near(Doubles(row, row + values.size()), values, 1e-12, name + ", state " + std::to_string(k));
        }
      }
    }
  }
}

// Oracle: central differences, over the border of two chunks, of outputs and final states by all that they follow from.
TEST_P(MatrixCell, GradientsOverSeveralChunksEqualCentralDifferences) {
  RecurrentCase<double> c(cell(), {.time_steps = 70,
                                   .samples = 2,
                                   .input_size = 2,
                                   .hidden_size = 4,
                                   .directions = 2,
                                   .lengths = {66, 70},
                                   .heads = 2});
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return c.all_outputs(tape); }, c.parameters()));
}

// Oracle: the sequence cut by hand, the state before each part a constant.
TEST_P(MatrixCell, TruncatedGradientsEqualThoseOfParts) {
  const CaseSizes sizes{.time_steps = 200, .samples = 2, .input_size = 3, .hidden_size = 4, .heads = 2};
  RecurrentCase<double> whole(cell(), sizes), part(cell(), sizes);
  whole.bptt = 90;
  Tape<double> tape;
  tape.backward(sum(whole.run(tape).output));
  for (std::int64_t begin = 0; begin < 200; begin += 90) {
    const std::int64_t steps = std::min<std::int64_t>(90, 200 - begin);
    part.layout.assign(steps, 2, {});
    part.sizes.time_steps = steps;
    part.x = BasicParameter<double>(
        "x", BasicTensor<double>({steps, 2, 3},
                                 std::span(whole.x.value.data() + begin * 6, static_cast<std::size_t>(steps * 6))));
    Tape<double> own;
    const auto result = part.run(own);
    own.backward(sum(result.output));
    expect_near(std::span(whole.x.gradient.data() + begin * 6, static_cast<std::size_t>(steps * 6)),
                part.x.gradient.span(), 1e-12, "x");
    for (int k = 0; k < 4; ++k) {
      part.initial(0, k).value = BasicTensor<double>(result.final[static_cast<std::size_t>(k)].value());
    }
  }
  for (std::size_t k = 0; k < whole.weights_per_scan(); ++k)
    expect_near(whole.weights[k].gradient, part.weights[k].gradient, 1e-12, whole.weights[k].name);
}

std::vector<float> outputs_and_gradients(RecurrentCase<float>& c) {
  Tape<float> tape;
  for (auto* p : c.parameters()) p->gradient.fill(0);
  const auto all = c.all_outputs(tape);
  std::vector<float> numbers(all.value().span().begin(), all.value().span().end());
  tape.backward(sum(all));
  for (auto* p : c.parameters()) numbers.insert(numbers.end(), p->gradient.span().begin(), p->gradient.span().end());
  return numbers;
}

// Oracle: one thread, bit for bit; and outputs that are the same bits with checkpoints, whose gradients differ by
// rounding only.
TEST_P(MatrixCell, NeitherThreadsNorCheckpointsChangeTheOutputsOfSeveralChunks) {
  RecurrentCase<float> c(cell(), {.time_steps = 200,
                                  .samples = 3,
                                  .input_size = 5,
                                  .hidden_size = 12,
                                  .directions = 2,
                                  .lengths = {130, 200, 77},
                                  .heads = 3});
  set_threads(1);
  const std::vector<float> expected = outputs_and_gradients(c);
  for (const int count : {2, 4}) {
    set_threads(count);
    const std::vector<float> got = outputs_and_gradients(c);
    EXPECT_EQ(0, std::memcmp(expected.data(), got.data(), got.size() * sizeof(float))) << count << " threads";
  }
  set_threads(0);
  Tape<float> tape;
  const auto outputs = static_cast<std::size_t>(c.all_outputs(tape).shape().elements());
  for (const std::int64_t steps : {1, 64, 100}) {
    c.checkpoint_steps = steps;
    const std::vector<float> got = outputs_and_gradients(c);
    EXPECT_EQ(0, std::memcmp(expected.data(), got.data(), outputs * sizeof(float))) << steps << " steps";
    expect_near(got, expected, 1e-4, "checkpoints every " + std::to_string(steps) + " steps");
  }
}

// Oracle: h does not depend on a common factor of C and n and its logarithm in m.
TEST_P(MatrixCell, TheStabiliserOfTheInitialStateIsAUnitOfMeasure) {
  const CaseSizes sizes{.time_steps = 9, .samples = 2, .input_size = 3, .hidden_size = 6, .heads = 2};
  RecurrentCase<double> c(cell(), sizes), scaled(cell(), sizes);
  for (double& m : scaled.initial(0, 3).value.span()) m += 2;
  for (const int k : {1, 2}) {
    for (double& v : scaled.initial(0, k).value.span()) v *= std::exp(-2.0);
  }
  Tape<double> tape, other;
  expect_near(BasicTensor<double>(scaled.run(other).output.value()), BasicTensor<double>(c.run(tape).output.value()),
              1e-14, "h");
}

// Oracle: exp(1000) is infinite and exp(-1000) is 0, in float and in double.
TEST_P(MatrixCell, SumsFarOutOfTheRangeOfExpStayFinite) {
  for (const float far : {1000.0f, -1000.0f}) {
    RecurrentCase<float> c(cell(),
                           {.time_steps = 70, .samples = 1, .input_size = 2, .hidden_size = 4, .initial = false});
    for (int row = 16; row < 18; ++row) c.weights[1].value[row] = far;
    for (const float value : outputs_and_gradients(c)) ASSERT_TRUE(std::isfinite(value)) << far;
  }
}

TEST_P(MatrixCell, WeightsOfAnotherSizeAreRefused) {
  RecurrentCase<double> c(cell(), {.time_steps = 2, .samples = 1, .input_size = 3, .hidden_size = 6, .heads = 2});
  c.sizes.heads = 3;
  Tape<double> tape;
  expect_error(Code::kUsage, {"weight_ih has 28 rows, expected 4 H + 2 heads for 3 heads of one size"},
               [&] { c.run(tape); });
}

INSTANTIATE_TEST_SUITE_P(MatrixCells, MatrixCell, ::testing::ValuesIn(matrix_cell_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace carousel
