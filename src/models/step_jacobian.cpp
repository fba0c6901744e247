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

namespace carousel {

ScanWeights<float> constant_weights(Tape<float>& tape, Recurrent& layer, std::int64_t index, bool reverse) {
  const std::string suffix = fmt::format("_l{}{}", index, reverse ? "_reverse" : "");
  ScanWeights<float> weights;
  const std::pair<const char*, Variable*> slots[] = {{"weight_ih", &weights.weight_ih},
                                                     {"weight_hh", &weights.weight_hh},
                                                     {"bias_ih", &weights.bias_ih},
                                                     {"bias_hh", &weights.bias_hh},
                                                     {"weight_hr", &weights.weight_hr}};
  for (Parameter* parameter : layer.parameters()) {
    for (const auto& [name, slot] : slots) {
      if (parameter->name == name + suffix) *slot = tape.constant(std::as_const(parameter->value).view());
    }
  }
  return weights;
}

std::vector<double> step_jacobian(Recurrent& layer, std::int64_t index, bool reverse, std::span<const float> x,
                                  std::span<const std::vector<float>> before) {
  const auto S = static_cast<std::int64_t>(std::accumulate(before.begin(), before.end(), std::size_t{0},
                                                           [](auto n, const auto& s) { return n + s.size(); }));
  Tape<float> tape;
  ScanWeights<float> weights = constant_weights(tape, layer, index, reverse);
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
  const Tensor inputs = copies(x);
  ScanInput<float> input;
  input.cell = &find_cell(layer.options().cell);
  input.layout = &one_step;
  input.x = tape.constant(inputs.view());
  input.directions = {&weights, 1};
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

double largest_singular_value(std::span<const double> matrix, std::int64_t columns) {
  constexpr int kMostRounds = 1000;
  constexpr double kEnough = 1e-10;  // relative change from round to round
  const auto width = static_cast<std::size_t>(columns), rows = matrix.size() / width;
  std::vector<double> v(width), u(rows);
  fill_normal(RandomKey{1, Purpose::kNoise, 0}, 0.0, 1.0, std::span<double>(v));
  double largest = 0;
  for (int round = 0; round < kMostRounds; ++round) {
    const double length = std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
    if (length == 0) return 0;
    for (double& value : v) value /= length;
    for (std::size_t r = 0; r < rows; ++r) {
      u[r] = std::inner_product(v.begin(), v.end(), matrix.begin() + static_cast<std::ptrdiff_t>(r * width), 0.0);
    }
    const double before = std::exchange(largest, std::sqrt(std::inner_product(u.begin(), u.end(), u.begin(), 0.0)));
    if (std::abs(largest - before) <= kEnough * largest) break;
    std::fill(v.begin(), v.end(), 0.0);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < width; ++c) v[c] += u[r] * matrix[r * width + c];
    }
  }
  return largest;
}

}  // namespace carousel
