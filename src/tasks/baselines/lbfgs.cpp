#include "tasks/baselines/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

namespace carousel {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double even = 0, odd = 0;
  std::size_t i = 0;
  for (; i + 2 <= a.size(); i += 2) {
    even += a[i] * b[i];
    odd += a[i + 1] * b[i + 1];
  }
  return i < a.size() ? even + odd + a[i] * b[i] : even + odd;
}

void add_scaled(Vector& a, double factor, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

// A step s = x' - x with y = g' - g.
struct Pair {
  Vector s, y;
  double inverse_sy;
};

// Two-loop recursion: -H g, H the inverse Hessian that the pairs imply.
Vector direction_of(const Vector& gradient, const std::deque<Pair>& pairs) {
  Vector direction = gradient, factors(pairs.size());
  for (std::size_t k = pairs.size(); k-- > 0;) {
    factors[k] = pairs[k].inverse_sy * dot(pairs[k].s, direction);
    add_scaled(direction, -factors[k], pairs[k].y);
  }
  if (!pairs.empty()) {
    const Pair& newest = pairs.back();
    const double scale = 1 / (newest.inverse_sy * dot(newest.y, newest.y));
    for (double& value : direction) value *= scale;
  }
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const double back = pairs[k].inverse_sy * dot(pairs[k].y, direction);
    add_scaled(direction, factors[k] - back, pairs[k].s);
  }
  for (double& value : direction) value = -value;
  return direction;
}

double largest(const Vector& values) {
  double result = 0;
  for (double value : values) result = std::max(result, std::abs(value));
  return result;
}

}  // namespace

int minimise_lbfgs(const Objective& objective, std::vector<double>& x, const LbfgsOptions& options) {
  constexpr std::size_t kPairs = 10;
  constexpr int kHalvings = 40;
  constexpr double kDecrease = 1e-4;
  Vector gradient(x.size()), next(x.size()), next_gradient(x.size());
  double value = objective(x, gradient);
  std::deque<Pair> pairs;
  for (int iteration = 0; iteration < options.max_iterations; ++iteration) {
    const double steepest = largest(gradient);
    if (steepest <= options.tolerance) return iteration;
    const Vector direction = direction_of(gradient, pairs);
    const double slope = dot(gradient, direction);
    double length = pairs.empty() ? std::min(1.0, 1 / steepest) : 1.0, next_value = 0;
    int halvings = 0;
    for (;; ++halvings, length /= 2) {
      if (halvings == kHalvings || !(slope < 0)) return iteration;
      next = x;
      add_scaled(next, length, direction);
      next_value = objective(next, next_gradient);
      if (next_value <= value + kDecrease * length * slope) break;
    }
    Pair pair{direction, next_gradient, 0};
    for (double& step : pair.s) step *= length;
    add_scaled(pair.y, -1, gradient);
    const double curvature = dot(pair.s, pair.y);
    if (curvature > 1e-12 * dot(pair.y, pair.y)) {
      pair.inverse_sy = 1 / curvature;
      pairs.push_back(std::move(pair));
      if (pairs.size() > kPairs) pairs.pop_front();
    }
    std::swap(x, next);
    std::swap(gradient, next_gradient);
    value = next_value;
  }
  return options.max_iterations;
}

}  // namespace carousel
