// Merged directions, connections past layers and learned initial states of a stack. Oracles: layer by layer, with the
// sums, products and gates written out; central differences in double.
#include "layers/recurrent/topology.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/reshape.h"
#include "layers/recurrent/stack.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

constexpr std::int64_t kHidden = 3, kSamples = 3;
constexpr int kLayers = 3;

// A stack in double on samples of lengths 4, 0 and 1.
struct DoubleStack {
  const Cell& cell;
  int directions;
  Merge merge;
  Connection connection;
  double dropout = 0;
  const std::vector<std::int32_t> lengths{4, 0, 1};
  SequenceLayout layout{4, lengths};
  BasicParameter<double> x;                      // [rows, C]
  std::deque<BasicParameter<double>> weights;    // of each scan: weight_ih, weight_hh, bias_ih, bias_hh
  std::deque<BasicParameter<double>> highways;   // of each layer: weight, bias; made for the lowest one, too
  std::deque<BasicParameter<double>> beginning;  // of each scan and state: [H]

  DoubleStack(const char* name, int d, Merge m, Connection c, std::int64_t input_size)
      : cell(find_cell(name)), directions(d), merge(m), connection(c) {
    x = random_parameter("x", {layout.rows(), input_size});
    const std::int64_t gates = cell.gate_count() * kHidden;
    for (int scan = 0; scan < kLayers * directions; ++scan) {
      const std::int64_t in = scan < directions ? input_size : width();
      const auto add = [&](const char* kind, const Shape& shape) {
        weights.push_back(random_parameter(kind + std::to_string(scan), shape, 0.6));
      };
      add("weight_ih", {gates, in});
      add("weight_hh", {gates, kHidden});
      add("bias_ih", {gates});
      add("bias_hh", {gates});
      for (int k = 0; k < cell.state_count(); ++k) {
        beginning.push_back(random_parameter("beginning" + std::to_string(scan) + std::to_string(k), {kHidden}, 0.6));
      }
    }
    for (int l = 0; l < kLayers; ++l) {
      highways.push_back(random_parameter("weight_highway" + std::to_string(l), {width(), width()}, 0.6));
      highways.push_back(random_parameter("bias_highway" + std::to_string(l), {width()}, 0.6));
    }
  }

  std::int64_t width() const { return directions == 2 && merge == Merge::kConcat ? 2 * kHidden : kHidden; }

  ScanWeights<double> scan_weights(Tape<double>& tape, int scan) {
    const auto weight = [&](int k) { return tape.parameter(weights[static_cast<std::size_t>(4 * scan + k)]); };
    ScanWeights<double> w;
    w.weight_ih = weight(0);
    w.weight_hh = weight(1);
    w.bias_ih = weight(2);
    w.bias_hh = weight(3);
    for (int k = 0; k < cell.state_count(); ++k) {
      auto& row = beginning[static_cast<std::size_t>(scan * cell.state_count() + k)];
      w.initial[k] = repeat_row(tape.parameter(row), kSamples);
    }
    return w;
  }

  StackOutput<double> run(Tape<double>& tape) {
    auto* w = tape.arena().allocate<ScanWeights<double>>(kLayers * directions);
    for (int k = 0; k < kLayers * directions; ++k) new (w + k) ScanWeights<double>(scan_weights(tape, k));
    auto* gates = tape.arena().allocate<HighwayGate<double>>(kLayers);
    for (std::size_t l = 0; l < kLayers; ++l) {
      new (gates + l) HighwayGate<double>{tape.parameter(highways[2 * l]), tape.parameter(highways[2 * l + 1])};
    }
    StackInput<double> input;
    input.cell = &cell;
    input.layers = kLayers;
    input.directions = directions;
    input.layout = &layout;
    input.x = tape.parameter(x);
    input.weights = {w, static_cast<std::size_t>(kLayers * directions)};
    input.merge = merge;
    input.connection = connection;
    input.highway = {gates, kLayers};
    input.dropout = dropout;
    input.key = {7, Purpose::kDropout, 3};
    return run_stack(input);
  }

  // The two directions side by side as one row.
  std::vector<double> merged(View<const double> both) const {
    std::vector<double> y;
    for (std::int64_t row = 0; row < both.shape[0]; ++row) {
      const double* a = both.data + row * both.shape[1];
      for (std::int64_t j = 0; j < width(); ++j) {
        const double b = directions == 2 ? a[j + kHidden] : 0;
        if (directions == 1 || merge == Merge::kConcat) y.push_back(a[j]);
        if (directions == 2 && merge == Merge::kSum) y.push_back(a[j] + b);
        if (directions == 2 && merge == Merge::kMean) y.push_back((a[j] + b) / 2);
        if (directions == 2 && merge == Merge::kProduct) y.push_back(a[j] * b);
      }
    }
    return y;
  }

  // y of layer l joined with what it read, if that is as wide.
  void join(std::size_t l, const std::vector<double>& below, std::vector<double>& y) const {
    if (below.size() != y.size() || connection == Connection::kNone) return;
    const std::int64_t W = width();
    const std::vector<double> f = y;
    for (std::int64_t i = 0; i < std::ssize(y); ++i) {
      const std::int64_t first = i / W * W, j = i % W;
      double sum = highways[2 * l + 1].value[j];
      for (std::int64_t k = 0; k < W; ++k) {
        sum += highways[2 * l].value[j * W + k] * below[static_cast<std::size_t>(first + k)];
      }
      const double g = 1 / (1 + std::exp(-sum));
      const auto at = static_cast<std::size_t>(i);
      y[at] = connection == Connection::kResidual ? below[at] + f[at] : g * f[at] + (1 - g) * below[at];
    }
  }

  // The output rows, layer by layer, each on a tape of its own.
  std::vector<double> by_hand() {
    std::vector<double> rows(x.value.span().begin(), x.value.span().end());
    for (int l = 0; l < kLayers; ++l) {
      Tape<double> tape;
      std::vector<ScanWeights<double>> w;
      for (int d = 0; d < directions; ++d) w.push_back(scan_weights(tape, l * directions + d));
      ScanInput<double> input;
      input.cell = &cell;
      input.layout = &layout;
      const BasicTensor<double> below({layout.rows(), std::ssize(rows) / layout.rows()}, rows);
      input.x = tape.constant(below.view());
      input.directions = w;
      std::vector<double> y = merged(scan(input).output.value());
      join(static_cast<std::size_t>(l), rows, y);
      rows = y;
    }
    return rows;
  }

  std::vector<BasicParameter<double>*> parameters() {
    std::vector<BasicParameter<double>*> list{&x};
    for (auto* part : {&weights, &highways, &beginning}) {
      for (auto& parameter : *part) list.push_back(&parameter);
    }
    return list;
  }
};

struct Joint {
  int directions;
  Merge merge;
  Connection connection;
  std::int64_t input_size;  // W, so that a way leads past the lowest layer, or less
};

const Joint kJoints[] = {{1, Merge::kConcat, Connection::kResidual, 2},
                         {1, Merge::kConcat, Connection::kHighway, kHidden},
                         {2, Merge::kSum, Connection::kNone, 2},
                         {2, Merge::kMean, Connection::kResidual, kHidden},
                         {2, Merge::kProduct, Connection::kHighway, 2},
                         {2, Merge::kProduct, Connection::kNone, kHidden},
                         {2, Merge::kConcat, Connection::kHighway, 2 * kHidden}};

TEST(Topology, AStackIsItsLayersJoinedByHand) {
  for (const char* cell : {"lstm", "gru"}) {
    for (const Joint& joint : kJoints) {
      DoubleStack stack(cell, joint.directions, joint.merge, joint.connection, joint.input_size);
      Tape<double> tape;
      const auto output = stack.run(tape).output;
      expect_near(output.value(), BasicTensor<double>(output.shape(), stack.by_hand()), 1e-14, cell);
    }
  }
}

// Of x, all weights, the gates past the layers and the rows that the states begin with.
TEST(Topology, GradientsMatchCentralDifferences) {
  for (const double dropout : {0.0, 0.3}) {
    for (const Joint& joint : kJoints) {
      DoubleStack stack("lstm", joint.directions, joint.merge, joint.connection, joint.input_size);
      stack.dropout = dropout;
      const auto all = [&](Tape<double>& tape) {
        const StackOutput<double> out = stack.run(tape);
        std::vector<BasicVariable<double>> parts{out.output, out.final[0], out.final[out.final.size() - 1]};
        for (auto& part : parts) part = reshape(part, {1, part.shape().elements()});
        return concatenate_columns(std::span<const BasicVariable<double>>(parts));
      };
      EXPECT_TRUE(check_gradients(all, stack.parameters())) << joint.directions << " directions, dropout " << dropout;
    }
  }
}

// Upper layers that do not look at what they read give the same whatever is dropped of it; what goes past them is
// whole.
TEST(Topology, DropoutDoesNotFallOnTheWayPastALayer) {
  for (const Connection connection : {Connection::kResidual, Connection::kHighway}) {
    DoubleStack stack("gru", 1, Merge::kConcat, connection, 2);
    for (std::size_t scan = 1; scan < kLayers; ++scan) stack.weights[4 * scan].value.fill(0);
    Tape<double> tape;
    const BasicTensor<double> whole(stack.run(tape).output.value());
    stack.dropout = 0.7;
    expect_near(stack.run(tape).output.value(), whole, 0, "output");
  }
}

}  // namespace
}  // namespace carousel
