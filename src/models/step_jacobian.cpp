#include "models/step_jacobian.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "autograd/ops/add.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/sum.h"
#include "base/fail.h"
#include "base/random.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/recurrent/topology.h"

namespace carousel {

std::vector<ScanWeights<float>> constant_weights(Tape<float>& tape, const Recurrent& layer, std::int64_t index,
                                                 bool reverse) {
  const int direction = reverse ? 1 : 0;
  std::vector<ScanWeights<float>> list;
  for (std::int64_t t = 0; t < layer.options().transitions; ++t) {
    ScanWeights<float>& weights = list.emplace_back();
    const std::pair<const char*, Variable*> slots[] = {
        {"weight_ih", &weights.weight_ih}, {"bias_ih", &weights.bias_ih}, {"bias_hh", &weights.bias_hh},
        {"weight_hr", &weights.weight_hr}, {"bias_hr", &weights.bias_hr}, {"weight_ph", &weights.weight_ph}};
    for (const auto& [name, slot] : slots) {
      const Parameter* parameter = layer.parameter(name + weight_suffix(layer.options(), index, direction, t));
      if (parameter) *slot = tape.constant(parameter->value.view());
    }
    const Tensor weight_hh = masked_recurrent_weight(layer, index, direction, t);
    if (weight_hh.elements() > 0) {
      auto* copy = tape.arena().allocate<float>(weight_hh.elements());
      std::copy_n(weight_hh.data(), weight_hh.elements(), copy);
      weights.weight_hh = tape.constant({copy, weight_hh.shape()});
    }
  }
  return list;
}

std::vector<double> step_jacobian(const Recurrent& layer, std::int64_t index, bool reverse, const StepInput& step,
                                  std::span<const std::vector<float>> before) {
  const auto S = static_cast<std::int64_t>(std::accumulate(before.begin(), before.end(), std::size_t{0},
                                                           [](auto n, const auto& s) { return n + s.size(); }));
  Tape<float> tape;
  std::vector<ScanWeights<float>> cells = constant_weights(tape, layer, index, reverse);
  ScanWeights<float>& weights = cells[0];
  const auto copies = [&](std::span<const float> row) {
    Tensor all({S, std::ssize(row)});
    for (std::int64_t i = 0; i < S; ++i) std::copy(row.begin(), row.end(), all.data() + i * std::ssize(row));
    return all;
  };
  std::vector<Tensor> initial, chosen;  // chosen: 1 where copy i is asked for its element i
  std::int64_t first = 0;
  for (const std::vector<float>& state : before) {
    initial.push_back(copies(state));
    chosen.emplace_back(initial.back().shape());
    for (std::int64_t j = 0; j < std::ssize(state); ++j) chosen.back()[(first + j) * std::ssize(state) + j] = 1;
    first += std::ssize(state);
  }
  for (std::size_t s = 0; s < before.size(); ++s) weights.initial[s] = tape.input(std::as_const(initial[s]).view());

  const SequenceLayout one_step(1, S);
  const Tensor inputs = copies(step.x), lower = copies(step.lower);
  ScanInput<float> input;
  input.cell = &cell_of_layer(find_cell(layer.options().cell), index);
  input.output = output_layer(layer.options());
  input.heads = layer.options().heads;
  if (input.cell->lower) input.lower = tape.constant(lower.view());
  input.layout = &one_step;
  input.x = tape.constant(inputs.view());
  input.zoneout = mean_zoneout(layer.options());
  input.directions = cells;
  input.transitions = std::ssize(cells);
  const ScanOutput<float> out = scan(input);
  Variable asked;
  for (std::size_t s = 0; s < before.size(); ++s) {
    const Variable part = sum(multiply(out.final[0][s], tape.constant(std::as_const(chosen[s]).view())));
    asked = asked ? add(asked, part) : part;
  }
  tape.backward(asked);

  std::vector<double> jacobian(static_cast<std::size_t>(S * S));
  first = 0;
  for (std::size_t s = 0; s < before.size(); ++s) {
    const std::int64_t width = std::ssize(before[s]);
    const View<const float> gradient = weights.initial[s].gradient();
    for (std::int64_t i = 0; i < S; ++i) {
      std::copy_n(gradient.data + i * width, width, jacobian.data() + i * S + first);
    }
    first += width;
  }
  return jacobian;
}

namespace {

double length_of(std::span<const double> x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

// The largest eigenvalue of the symmetric matrix with this diagonal and, one shorter, these numbers beside it: by
// bisection, for all pivots of A - x are negative just for x above it (Sylvester's law of inertia).
double largest_eigenvalue(std::span<const double> diagonal, std::span<const double> beside) {
  constexpr int kBits = 60;
  double low = 0, high = 0;
  for (std::size_t k = 0; k < diagonal.size(); ++k) {  // Gershgorin's circles
    const double left = k > 0 ? beside[k - 1] : 0, right = k < beside.size() ? beside[k] : 0;
    low = std::max(low, diagonal[k]);
    high = std::max(high, diagonal[k] + left + right);
  }
  for (int bit = 0; bit < kBits; ++bit) {
    const double middle = (low + high) / 2;
    double pivot = diagonal[0] - middle;
    for (std::size_t k = 1; k < diagonal.size() && pivot < 0; ++k) {
      pivot = diagonal[k] - middle - beside[k - 1] * beside[k - 1] / pivot;
    }
    (pivot < 0 ? high : low) = middle;
  }
  return high;
}

}  // namespace

double largest_singular_value(std::span<const double> matrix, std::int64_t columns) {
  constexpr std::size_t kMostRounds = 300;
  constexpr double kEnough = 1e-11;  // relative change from round to round
  const auto width = static_cast<std::size_t>(columns);
  std::vector<double> v(width), before(width), diagonal, beside;
  fill_normal(RandomKey{1, Purpose::kNoise, 0}, 0.0, 1.0, std::span<double>(v));
  const double start = length_of(v);
  for (double& value : v) value /= start;
  double largest = 0, change = 0;
  while (diagonal.size() < 2 || (change > kEnough * largest && diagonal.size() < kMostRounds)) {
    std::vector<double> next(width);  // A^T A v
    for (std::size_t first = 0; first < matrix.size(); first += width) {
      const auto row = matrix.subspan(first, width);
      const double u = std::inner_product(row.begin(), row.end(), v.begin(), 0.0);
      for (std::size_t c = 0; c < width; ++c) next[c] += u * row[c];
    }
    diagonal.push_back(std::inner_product(next.begin(), next.end(), v.begin(), 0.0));
    for (std::size_t c = 0; c < width; ++c) {
      next[c] -= diagonal.back() * v[c] + (beside.empty() ? 0 : beside.back() * before[c]);
    }
    const double now = largest_eigenvalue(diagonal, beside);
    change = now - largest;
    largest = now;
    const double length = length_of(next);
    if (length <= kEnough * largest) break;  // the vectors so far hold all that the matrix does
    for (double& value : next) value /= length;
    beside.push_back(length);
    before = std::exchange(v, std::move(next));
  }
  return std::sqrt(largest);
}

}  // namespace carousel
