#include "layers/scan/gate_saturation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/fail.h"
#include "layers/scan/matrix_scan.h"

namespace carousel {
namespace {

struct GateCount {
  std::int64_t saturated = 0, all = 0;
  void add(double value) {
    saturated += value < kClosedGate || value > kOpenGate;
    ++all;
  }
  GateCount& operator+=(const GateCount& other) {
    saturated += other.saturated;
    all += other.all;
    return *this;
  }
};

// The gates of one unit when every bias is `a` and everything else is zero.
std::array<double, kMaxGates> gates_at(const Cell& cell, double a) {
  std::array<double, kMaxGates> gates{}, zeros{}, biases;
  biases.fill(a);
  std::array<double, 2 * kMaxGates + 1> normal{};
  std::array<double, kNormalisedRows> scale{};
  std::array<double, kMaxUnitWeights> unit_weights{};
  std::array<double, kMaxExtras> extra{};
  std::array<double, kMaxStates> next{};
  double inner = 0;
  StepForward<double> s;
  s.rows = s.hidden_size = s.ld_lower = 1;
  s.a = gates.data();
  s.q = zeros.data();
  s.bias_a = biases.data();
  s.normal = normal.data();
  s.scale = scale.data();
  s.unit_weights = unit_weights.data();
  s.inner = &inner;
  s.lower = zeros.data();
  s.save = true;
  s.program = cell.program;
  for (std::size_t k = 0; k < extra.size(); ++k) s.extra[k] = &extra[k];
  for (std::size_t k = 0; k < next.size(); ++k) s.next[k] = &next[k];
  if (cell.double_steps.step_inner) cell.double_steps.step_inner(s);
  cell.double_steps.step(s);
  return gates;
}

GateCount count(const detail::ScanOp<float>& op, const detail::ScanDirection<float>& direction) {
  GateCount result;
  const unsigned sigmoids = sigmoid_gates(*op.cell);
  for (std::int64_t row = 0; row < op.layout->rows(); ++row) {
    for (int gate = 0; gate < op.cell->gate_count(); ++gate) {
      if ((sigmoids >> gate & 1) == 0) continue;
      const float* values = direction.a + row * op.gate_width() + gate * op.hidden_size;
      for (std::int64_t unit = 0; unit < op.hidden_size; ++unit) result.add(values[unit]);
    }
  }
  return result;
}

// o of every unit, and f of every head where it is a sigmoid. What is kept of them is W x.
GateCount count(const detail::MatrixScanOp<float>& op, const detail::MatrixDirection<float>& direction) {
  GateCount result;
  const float* bias = direction.weights.bias_ih ? direction.weights.bias_ih.value().data : nullptr;
  for (std::int64_t row = 0; row < op.layout->rows(); ++row) {
    const std::int64_t at = op.row_index.empty() ? row : op.row_index[static_cast<std::size_t>(row)];
    for (const int gate : {3, 5}) {
      if (gate == 5 && op.cell->matrix_memory != MatrixMemory::kSigmoidForget) continue;
      const std::int64_t end = op.cell->first_row(gate + 1, op.hidden_size, op.heads);
      for (std::int64_t j = op.cell->first_row(gate, op.hidden_size, op.heads); j < end; ++j) {
        const double a = direction.a[at * op.width() + j] + (bias ? bias[j] : 0);
        result.add(1 / (1 + std::exp(-a)));
      }
    }
  }
  return result;
}

}  // namespace

unsigned sigmoid_gates(const Cell& cell) {
  if (cell.has_matrix()) return 0;
  constexpr double kFar = 50, kTiny = 1e-9;
  const auto low = gates_at(cell, -kFar), middle = gates_at(cell, 0), high = gates_at(cell, kFar);
  unsigned gates = 0;
  for (int k = 0; k < cell.gate_count(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const bool is = std::abs(low[at]) < kTiny && middle[at] == 0.5 && std::abs(1 - high[at]) < kTiny;
    if (is) gates |= 1u << k;
  }
  return gates;
}

std::vector<std::pair<std::string, double>> gate_saturation(const Variable& output) {
  std::vector<const Node<float>*> scans;
  const auto is_scan = [](const Node<float>* node) {
    return dynamic_cast<const detail::ScanOp<float>*>(node) || dynamic_cast<const detail::MatrixScanOp<float>*>(node);
  };
  for (const Node<float>* node = output.node(); node; node = node->previous) {
    if (is_scan(node)) scans.push_back(node);
  }
  std::reverse(scans.begin(), scans.end());  // the last one was met first
  std::vector<std::pair<std::string, double>> shares;
  for (std::size_t k = 0; k < scans.size(); ++k) {
    GateCount counts[2];  // of each direction
    if (const auto* op = dynamic_cast<const detail::ScanOp<float>*>(scans[k])) {
      for (const auto& direction : op->directions) counts[direction.reverse ? 1 : 0] += count(*op, direction);
    }
    if (const auto* op = dynamic_cast<const detail::MatrixScanOp<float>*>(scans[k])) {
      for (int d = 0; d < op->direction_count; ++d) counts[d] += count(*op, op->directions[d]);
    }
    for (const GateCount& counted : counts) {
      if (counted.all == 0) continue;
      shares.emplace_back(fmt::format("l{}{}", k, &counted == counts + 1 ? "_reverse" : ""),
                          static_cast<double>(counted.saturated) / static_cast<double>(counted.all));
    }
  }
  return shares;
}

}  // namespace carousel
