// gradient_check.h: compares backward() with central differences, in double.
//
//   EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return tanh(tape.parameter(x)); }, {&x}));
//
// The loss is a random projection of the output, L = sum of r[i] y[i], so every output element and its sign count.
// Every element of every parameter is moved by +-step; the error is signed and relative, (analytic - numeric) /
// max(|analytic|, |numeric|, floor). A failure names tensor, index and both values. The gradients of the parameters
// start at 0.5, so an operation that overwrites instead of adding fails. The tape's memory is filled with NaN first, so
// an operation that claims a gradient without writing all of it fails. The parameters end with their old values.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "autograd/tape.h"
#include "base/random.h"

namespace carousel {

struct GradientCheckOptions {
  double step = 1e-5;
  double tolerance = 1e-6;
  double floor = 1e-2;  // gradients smaller than this are compared on this scale
  // Also with half the step, (4 D(step / 2) - D(step)) / 3: exact to step^4, not step^2 (Richardson). For functions
  // that bend sharply.
  bool extrapolate = false;
  std::uint64_t seed = 1;  // of the projection
};

using Forward = std::function<BasicVariable<double>(Tape<double>&)>;

// Projects `output` to one element with the random vector of `seed`.
inline BasicVariable<double> project(BasicVariable<double> output, std::uint64_t seed) {
  struct ProjectNode final : Node<double> {
    Node<double>* input;
    double* direction;

    void backward() override {
      const GradientTarget<double> target = input->claim_gradient();
      if (!target) return;
      for (std::int64_t i = 0; i < input->value.elements(); ++i) {
        target.data[i] = target.beta * (target.beta == 0 ? 0 : target.data[i]) + *gradient * direction[i];
      }
    }
  };
  const std::int64_t n = output.shape().elements();
  auto* node = output.tape().record<ProjectNode>(Shape{}, output.node()->needs_gradient);
  node->input = output.node();
  node->direction = output.tape().arena().allocate<double>(n);
  fill_normal({seed, Purpose::kTest, 77}, 0.0, 1.0, std::span<double>(node->direction, static_cast<std::size_t>(n)));
  *node->data() = 0;
  for (std::int64_t i = 0; i < n; ++i) *node->data() += node->direction[i] * output.value().data[i];
  return BasicVariable<double>(node);
}

// Overwrites the memory of the tape's arena with NaN and resets the tape.
inline void poison(Tape<double>& tape) {
  constexpr std::int64_t kElements = 1 << 16;
  double* memory = tape.arena().allocate<double>(kElements);
  std::fill(memory, memory + kElements, std::numeric_limits<double>::quiet_NaN());
  tape.reset();
}

inline ::testing::AssertionResult check_gradients(const Forward& forward,
                                                  const std::vector<BasicParameter<double>*>& parameters,
                                                  const GradientCheckOptions& options = {}) {
  constexpr double kStart = 0.5;
  Tape<double> tape;
  const auto loss_at_this_point = [&] {
    tape.reset();
    return project(forward(tape), options.seed).item();
  };
  for (BasicParameter<double>* parameter : parameters) {
    parameter->make_gradient();
    parameter->gradient.fill(kStart);
  }
  poison(tape);
  tape.backward(project(forward(tape), options.seed));
  for (BasicParameter<double>* parameter : parameters) {
    for (std::int64_t i = 0; i < parameter->value.elements(); ++i) {
      const double analytic = parameter->gradient[i] - kStart, middle = parameter->value[i];
      const auto difference = [&](double step) {
        parameter->value[i] = middle + step;
        const double above = loss_at_this_point();
        parameter->value[i] = middle - step;
        const double below = loss_at_this_point();
        parameter->value[i] = middle;
        return (above - below) / (2 * step);
      };
      double numeric = difference(options.step);
      if (options.extrapolate) numeric = (4 * difference(options.step / 2) - numeric) / 3;
      const double scale = std::max({std::abs(analytic), std::abs(numeric), options.floor});
      const double error = (analytic - numeric) / scale;
      if (!(std::abs(error) <= options.tolerance)) {
        return ::testing::AssertionFailure()
               << "gradient of '" << parameter->name << "' " << parameter->value.shape().to_string() << " at index "
               << i << ": analytic " << analytic << ", numeric " << numeric << ", relative error " << error;
      }
    }
  }
  return ::testing::AssertionSuccess();
}

// A parameter of random normal numbers; every name and shape draws its own.
inline BasicParameter<double> random_parameter(const std::string& name, const Shape& shape, double deviation = 1.0) {
  std::uint64_t stream = 1469598103934665603u;  // FNV-1a of the name
  for (const char letter : name) stream = (stream ^ static_cast<unsigned char>(letter)) * 1099511628211u;
  BasicTensor<double> value(shape);
  fill_normal({stream, Purpose::kTest, 0}, 0.0, deviation, value.span());
  return BasicParameter<double>(name, value);
}

}  // namespace carousel
