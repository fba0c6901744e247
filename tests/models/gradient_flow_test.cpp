// Oracle: a linear rnn, whose Jacobian is its weight_hh, and an lstm of zeros, both by hand; central differences of one
// step in double; the rest of the sequence as one scan from the state in question; the network as it usually runs.
#include "models/gradient_flow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "autograd/ops/linear.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/sum.h"
#include "cells/cell.h"
#include "layers/module.h"
#include "layers/scan/scan.h"
#include "models/step_jacobian.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

// The sum of the network's outputs, each times a fixed number.
WatchedLoss projected(const Tensor& values, std::span<const std::int32_t> lengths, const Tensor& factors) {
  return [&values, lengths, &factors](Sequential& network, Tape<float>& tape, SequenceLayout& layout) {
    const Variable out = detail::run_pass(network, tape, layout, {.values = &values, .lengths = lengths}, false, {});
    return sum(multiply(out, tape.constant(factors.view())));
  };
}

Parameter& parameter(Module& layer, const std::string& name) {
  for (Parameter* one : layer.parameters()) {
    if (one->name == name) return *one;
  }
  throw std::runtime_error("no parameter " + name);
}

TEST(GradientFlow, TheJacobianOfALinearRnnIsItsMatrix) {
  constexpr std::int64_t T = 5, H = 3;
  auto layer = std::make_unique<Recurrent>(RecurrentOptions{.cell = "rnn_linear", .input_size = 2, .hidden_size = H});
  // R = 2 u v^T + 0.5 w z^T with orthogonal unit vectors: singular values 2, 0.5 and 0.
  const double u[] = {0.6, 0.8, 0}, v[] = {0, 0.6, 0.8}, w[] = {-0.8, 0.6, 0}, z[] = {0, -0.8, 0.6};
  Tensor& R = parameter(*layer, "weight_hh_l0").value;
  for (std::int64_t i = 0; i < H; ++i) {
    for (std::int64_t j = 0; j < H; ++j) R[i * H + j] = static_cast<float>(2 * u[i] * v[j] + 0.5 * w[i] * z[j]);
  }
  Sequential network;
  network.add("recurrent", std::move(layer));
  network.add("pool", std::make_unique<Pool>("last"));
  const Tensor values = random_tensor({T, 1, 2}, 3), factors({1, H}, std::vector<float>{1, -2, 0.5f});
  const GradientFlow flow = gradient_flow(network, projected(values, {}, factors));
  ASSERT_EQ(flow.scans.size(), 1U);
  EXPECT_EQ(flow.scans[0].layer, "recurrent");
  EXPECT_EQ(flow.scans[0].states[0].state, "h");
  expect_near(flow.scans[0].jacobian_norms, std::vector<double>(T, 2.0), 1e-6, "jacobian_norms");
  std::vector<double> dh{1, -2, 0.5}, norms(T);  // dL/dh_(t-1) = R^T dL/dh_t
  for (std::size_t t = T; t-- > 0;) {
    norms[t] = std::sqrt(std::inner_product(dh.begin(), dh.end(), dh.begin(), 0.0));
    std::vector<double> before(3);
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) before[j] += double{R[static_cast<std::int64_t>(i * 3 + j)]} * dh[i];
    }
    dh = before;
  }
  expect_near(flow.scans[0].states[0].norms, norms, 1e-6, "norms");
}

// All gates are 0.5 and g is 0: c' = c / 2, h' = tanh(c') / 2, so that dc'/dc = 1/2, dh'/dc = 1/4 and nothing hangs on
// h.
TEST(GradientFlow, AnLstmOfZerosHalvesItsMemory) {
  Sequential network;
  network.add("recurrent", std::make_unique<Recurrent>(RecurrentOptions{.input_size = 2, .hidden_size = 3}));
  network.add("pool", std::make_unique<Pool>("last"));
  const Tensor values = random_tensor({4, 2, 2}, 3), factors = random_tensor({2, 3}, 4);
  const GradientFlow flow = gradient_flow(network, projected(values, {}, factors));
  const ScanGradient& scan = flow.scans.at(0);
  expect_near(scan.jacobian_norms, std::vector<double>(4, std::hypot(0.5, 0.25)), 1e-6, "jacobian_norms");
  double length = 0;
  for (const float factor : factors.span()) length += double{factor} * factor;
  length = std::sqrt(length);
  expect_near(scan.states[0].norms, std::vector<double>{0, 0, 0, length}, 1e-6, "h");  // h leads nowhere
  expect_near(scan.states[1].norms, std::vector<double>{length / 16, length / 8, length / 4, 0}, 1e-6, "c");
}

class EveryCell : public ::testing::TestWithParam<std::string_view> {};

struct WatchedCase {
  static constexpr std::int64_t T = 6, N = 3, C = 2, H = 4;
  std::vector<std::int32_t> lengths{4, 6, 1};
  Tensor values = random_tensor({T, N, C}, 11), factors = random_tensor({N, H}, 12);
  Sequential network;
  Recurrent* layer = nullptr;

  explicit WatchedCase(std::string_view cell) {
    auto recurrent =
        std::make_unique<Recurrent>(RecurrentOptions{.cell = std::string(cell), .input_size = C, .hidden_size = H});
    layer = recurrent.get();
    network.add("recurrent", std::move(recurrent));
    network.add("pool", std::make_unique<Pool>("last"));
    network.initialize(5);
    for (Parameter* one : layer->parameters()) {  // biases, too, and steps that matter
      const Tensor noise = random_tensor(one->value.shape(), 17);
      for (std::int64_t j = 0; j < noise.elements(); ++j) one->value[j] += 0.3f * noise[j];
    }
  }

  std::int64_t width(std::size_t state) const { return layer->state_shape(static_cast<int>(state), 1)[2]; }

  // x and what is read beside it, of a cell that has both made of x.
  template <class T>
  void enter(BasicVariable<T>& x, BasicVariable<T>& lower) {
    if (!find_cell(layer->options().cell).entry) return;
    const Tensor &weight = layer->parameter("weight_in")->value, &bias = layer->parameter("bias_in")->value;
    const auto rows = [&](const Tensor& of, std::int64_t first, const Shape& shape) {
      T* copy = x.tape().arena().template allocate<T>(shape.elements());
      std::copy_n(of.data() + first, shape.elements(), copy);
      return x.tape().constant({copy, shape});
    };
    lower = linear(x, rows(weight, H * C, {H, C}), rows(bias, H, {H}));
    x = linear(x, rows(weight, 0, {H, C}), rows(bias, 0, {H}));
  }

  // The states after `steps` steps of each sample.
  State states(std::int64_t steps) {
    std::vector<std::int32_t> cut = lengths;
    for (std::int32_t& length : cut) length = std::min(length, static_cast<std::int32_t>(steps));
    State state;
    network.predict(values, cut, nullptr, &state);
    return state;
  }
};

// The rest of the sequence in one scan, with the states after step t as inputs.
TEST_P(EveryCell, NormsAreThoseOfTheRestOfTheSequenceAsOneScan) {
  WatchedCase c(GetParam());
  const GradientFlow flow = gradient_flow(c.network, projected(c.values, c.lengths, c.factors));
  const Cell& cell = cell_of_layer(find_cell(GetParam()), 0);
  for (std::int64_t t = 0; t < c.T; ++t) {
    const State state = c.states(t + 1);
    std::vector<std::int32_t> rest = c.lengths;
    for (std::int32_t& length : rest) length = std::max(length - static_cast<std::int32_t>(t) - 1, 0);
    const std::int64_t left = c.T - t - 1;
    const SequenceLayout layout(left, rest);
    std::vector<float> rows;
    for (const std::int64_t row : layout.padded_rows()) {
      const float* from = c.values.data() + ((t + 1) * c.N + row) * c.C;
      rows.insert(rows.end(), from, from + c.C);
    }
    const Tensor x({layout.rows(), c.C}, rows);
    Tape<float> tape;
    ScanWeights<float> weights = constant_weights(tape, *c.layer, 0, false)[0];
    for (std::size_t s = 0; s < cell.states.size(); ++s) {
      weights.initial[s] = tape.input({state.values[s].data(), {c.N, c.width(s)}});
    }
    ScanInput<float> input;
    input.cell = &cell;
    input.layout = &layout;
    input.x = tape.constant(x.view());
    c.enter(input.x, input.lower);
    input.directions = {&weights, 1};
    tape.backward(sum(multiply(scan(input).final[0][0], tape.constant(std::as_const(c.factors).view()))));
    for (std::size_t s = 0; s < cell.states.size(); ++s) {
      double squares = 0;
      const View<const float> gradient = weights.initial[s].gradient();
      for (std::int64_t n = 0; n < c.N; ++n) {
        for (std::int64_t j = 0; c.lengths[static_cast<std::size_t>(n)] > t && j < c.width(s); ++j) {
          squares += std::pow(double{gradient.data[n * c.width(s) + j]}, 2);
        }
      }
      EXPECT_NEAR(flow.scans[0].states[s].norms[static_cast<std::size_t>(t)], std::sqrt(squares),
                  1e-6 * (1 + std::sqrt(squares)))
          << cell.states[s] << " after step " << t;
    }
  }
}

// One step of the cell in double from states that are moved a little, for the longest sample.
TEST_P(EveryCell, JacobiansAreThoseOfCentralDifferences) {
  WatchedCase c(GetParam());
  constexpr std::int64_t kLongest = 1;
  const GradientFlow flow = gradient_flow(c.network, projected(c.values, c.lengths, c.factors));
  const Cell& cell = cell_of_layer(find_cell(GetParam()), 0);
  std::int64_t S = 0;
  for (std::size_t s = 0; s < cell.states.size(); ++s) S += c.width(s);
  Tape<float> floats;
  const ScanWeights<float> in_float = constant_weights(floats, *c.layer, 0, false)[0];
  const SequenceLayout one_step(1, 1);
  for (std::int64_t t = 0; t < c.T; ++t) {
    const bool normalised = std::ranges::find(cell.states, "n") != cell.states.end();
    if (t == 0 && normalised) continue;  // n = 0 marks a fresh sequence: no derivative there
    std::vector<double> before;
    const State state = t > 0 ? c.states(t) : c.network.zero_state(c.N);
    for (std::size_t s = 0; s < cell.states.size(); ++s) {
      const float* own = state.values[s].data() + kLongest * c.width(s);
      before.insert(before.end(), own, own + c.width(s));
    }
    const float* row = c.values.data() + (t * c.N + kLongest) * c.C;
    const BasicTensor<double> x({1, c.C}, std::vector<double>(row, row + c.C));
    const auto step = [&](const std::vector<double>& from) {
      Tape<double> tape;
      ScanWeights<double> weights;
      const auto in_double = [&](const Variable& value) {
        if (!value) return BasicVariable<double>();
        auto* copy = tape.arena().allocate<double>(value.shape().elements());
        std::copy_n(value.value().data, value.shape().elements(), copy);
        return tape.constant({copy, value.shape()});
      };
      weights.weight_ih = in_double(in_float.weight_ih);
      weights.weight_hh = in_double(in_float.weight_hh);
      weights.bias_ih = in_double(in_float.bias_ih);
      weights.bias_hh = in_double(in_float.bias_hh);
      weights.weight_hr = in_double(in_float.weight_hr);
      weights.bias_hr = in_double(in_float.bias_hr);
      weights.weight_ph = in_double(in_float.weight_ph);
      const double* own = from.data();
      for (std::size_t s = 0; s < cell.states.size(); ++s) {
        weights.initial[s] = tape.constant({own, {1, c.width(s)}});
        own += c.width(s);
      }
      ScanInput<double> input;
      input.cell = &cell;
      input.layout = &one_step;
      input.x = tape.constant(x.view());
      c.enter(input.x, input.lower);
      input.directions = {&weights, 1};
      const ScanOutput<double> out = scan(input);
      std::vector<double> after;
      for (std::size_t s = 0; s < cell.states.size(); ++s) {
        after.insert(after.end(), out.final[0][s].value().data, out.final[0][s].value().data + c.width(s));
      }
      return after;
    };
    std::vector<double> jacobian(static_cast<std::size_t>(S * S));
    constexpr double kStep = 1e-5;
    for (std::size_t j = 0; j < before.size(); ++j) {
      std::vector<double> up = before, down = before;
      up[j] += kStep;
      down[j] -= kStep;
      const std::vector<double> above = step(up), below = step(down);
      for (std::size_t i = 0; i < before.size(); ++i) {
        jacobian[i * before.size() + j] = (above[i] - below[i]) / (2 * kStep);
      }
    }
    const double expected = largest_singular_value(jacobian, S);
    EXPECT_NEAR(flow.scans[0].jacobian_norms[static_cast<std::size_t>(t)], expected, 1e-5 * (1 + expected)) << t;
  }
}

INSTANTIATE_TEST_SUITE_P(GradientFlow, EveryCell, ::testing::ValuesIn([] {
                           std::vector<std::string_view> names;
                           for (const Cell& cell : all_cells()) names.push_back(cell.name);
                           return names;
                         }()),
                         [](const auto& which) { return std::string(which.param); });

// Two layers in both directions, sequences of different lengths, a layer below and two branches: loss and the gradients
// of the layers below and above are those of the network as it usually runs.
void expect_watched_is_usual(const RecurrentOptions& first, const RecurrentOptions& second) {
  std::vector<Sequential> branches(2);
  for (std::size_t k = 0; k < 2; ++k) {
    branches[k].add("recurrent", std::make_unique<Recurrent>(k == 0 ? first : second));
    branches[k].add("pool", std::make_unique<Pool>(k == 0 ? "last" : "mean"));
    branches[k].add("output", std::make_unique<Linear>(4, 2));
  }
  Sequential network;
  network.add("input", std::make_unique<Linear>(5, 3));
  network.add("both", std::make_unique<Sum>(std::move(branches)));
  network.initialize(3);
  for (const auto& [name, tensor] : network.named_tensors()) {
    if (name.find("initial_") != std::string::npos) tensor->value = random_tensor(tensor->value.shape(), 6);
  }
  const Tensor values = random_tensor({6, 4, 5}, 8), factors = random_tensor({4, 2}, 9);
  const std::vector<std::int32_t> lengths{2, 6, 0, 5};
  const WatchedLoss loss = projected(values, lengths, factors);

  const GradientFlow flow = gradient_flow(network, loss);
  std::vector<Tensor> watched;
  for (const auto& [name, tensor] : network.named_tensors()) {
    if (name.find("recurrent") != std::string::npos) continue;
    watched.push_back(tensor->gradient);
    tensor->gradient.fill(0);
  }
  Tape<float> tape;
  SequenceLayout layout;
  const Variable usual = loss(network, tape, layout);
  tape.backward(usual);
  EXPECT_NEAR(flow.loss, usual.item(), 1e-6 * (1 + std::abs(usual.item())));
  std::size_t k = 0;
  for (const auto& [name, tensor] : network.named_tensors()) {
    if (name.find("recurrent") != std::string::npos) continue;
    expect_near(watched[k++], tensor->gradient, 1e-6, name);
  }
  EXPECT_EQ(k, 6U);

  ASSERT_EQ(flow.scans.size(), 6U);  // two layers in both directions, two in one
  EXPECT_EQ(flow.scans[3].layer, "both.0.recurrent");
  EXPECT_EQ(flow.scans[3].index, 1);
  EXPECT_TRUE(flow.scans[3].reverse);
  EXPECT_EQ(flow.scans[4].layer, "both.1.recurrent");
  EXPECT_EQ(flow.scans[4].states.size(), find_cell(second.cell).states.size());
  for (const ScanGradient& scan : flow.scans) {
    for (const double norm : scan.jacobian_norms) EXPECT_TRUE(norm > 0 && norm < 10) << norm;
    EXPECT_EQ(scan.states[0].norms.size(), 6U);
  }
  const std::string text = gradient_flow_text(flow);
  EXPECT_NE(text.find("both.0.recurrent (lstm), layer 1, backward"), std::string::npos) << text;
}

TEST(GradientFlow, TheWatchedNetworkIsTheNetwork) {
  expect_watched_is_usual(
      {.cell = "lstm", .input_size = 3, .hidden_size = 4, .proj_size = 2, .layers = 2, .bidirectional = true},
      {.cell = "gru", .input_size = 3, .hidden_size = 4, .layers = 2});
}

TEST(GradientFlow, TheWatchedNetworkIsTheNetworkWhereLayersAreJoined) {
  RecurrentOptions first{.cell = "lstm", .input_size = 3, .hidden_size = 4, .layers = 2, .bidirectional = true};
  first.merge = "product";
  first.learned_initial_state = true;
  RecurrentOptions second{.cell = "gru", .input_size = 3, .hidden_size = 4, .layers = 2};
  second.connection = "highway";
  expect_watched_is_usual(first, second);
  second.cell = "grid_lstm";
  second.connection = "residual";
  second.tied = true;
  second.learned_initial_state = true;
  first.merge = "concat";
  first.proj_size = 2;
  first.connection = "highway";
  expect_watched_is_usual(first, second);
}

TEST(GradientFlow, LargestSingularValue) {
  EXPECT_NEAR(largest_singular_value(std::vector<double>{3, 0, 4, 5}, 2), std::sqrt(45.0), 1e-9);  // of 45 and 5
  EXPECT_NEAR(largest_singular_value(std::vector<double>{1, 2, 3, -4}, 2), std::sqrt(15 + std::sqrt(125.0)), 1e-9);
  EXPECT_NEAR(largest_singular_value(std::vector<double>{3, 4}, 2), 5, 1e-12);  // a row
  EXPECT_NEAR(largest_singular_value(std::vector<double>{3, 4}, 1), 5, 1e-12);  // a column
  EXPECT_EQ(largest_singular_value(std::vector<double>(9, 0.0), 3), 0);
  EXPECT_NEAR(largest_singular_value(std::vector<double>{3e20, 0, 4e20, 5e20}, 2) / 1e20, std::sqrt(45.0), 1e-9);
  EXPECT_NEAR(largest_singular_value(std::vector<double>{0, 1, -1, 0}, 2), 1, 1e-12);  // two equal ones
}

// An orthogonal matrix in front and one behind change no singular value: rotations of neighbours, drawn at random,
// round a diagonal whose largest entries lie close together.
TEST(GradientFlow, LargestSingularValueAmongMany) {
  constexpr std::size_t kSize = 60;
  std::vector<double> matrix(kSize * kSize);
  for (std::size_t k = 0; k < kSize; ++k) matrix[k * kSize + k] = 3 - 0.01 * static_cast<double>(k);
  std::vector<double> angles(4 * kSize * kSize);
  fill_uniform({7, Purpose::kTest, 0}, 0.0, 6.28, std::span<double>(angles));
  for (std::size_t turn = 0; turn < angles.size(); ++turn) {
    const std::size_t i = turn % kSize, j = (i + 1 + turn / kSize % 7) % kSize;
    const double angle = angles[turn], c = std::cos(angle), s = std::sin(angle);
    const std::size_t step = turn % 2 == 0 ? 1 : kSize, other = turn % 2 == 0 ? kSize : 1;  // rows, or columns
    for (std::size_t k = 0; k < kSize; ++k) {
      double &a = matrix[i * other + k * step], &b = matrix[j * other + k * step];
      std::tie(a, b) = std::pair(c * a - s * b, s * a + c * b);
    }
  }
  EXPECT_NEAR(largest_singular_value(matrix, kSize), 3, 1e-8);
}

TEST(GradientFlow, WithoutStepsThereIsNothingToShow) {
  Sequential feed_forward{Flatten{2}, Linear{2, 1}};
  const Tensor values = random_tensor({2, 1, 1}, 1), factors = random_tensor({1, 1}, 2);
  expect_error(Code::kUsage, {"no recurrent layer"},
               [&] { gradient_flow(feed_forward, projected(values, {}, factors)); });
  Sequential network{Recurrent{{.input_size = 1, .hidden_size = 1}}, Pool{"last"}};
  const std::vector<std::int32_t> nothing{0};
  expect_error(Code::kUsage, {"every sample is empty"},
               [&] { gradient_flow(network, projected(values, nothing, factors)); });
}

}  // namespace
}  // namespace carousel
