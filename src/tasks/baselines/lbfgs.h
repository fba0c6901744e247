// lbfgs.h: minimises a smooth function of many variables from its value and gradient.
//
// Limited-memory BFGS with 10 pairs and a backtracking line search that asks for sufficient decrease and for positive
// curvature of the pair it stores (Nocedal and Wright 2006, algorithms 7.4 and 7.5).
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace carousel {

// Writes the gradient at x and returns the value there.
using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

struct LbfgsOptions {
  int max_iterations = 200;
  double tolerance = 1e-6;  // stops when no component of the gradient is larger
};

// Improves x in place; returns the number of iterations. Ends early if no step lowers the value any more.
int minimise_lbfgs(const Objective& objective, std::vector<double>& x, const LbfgsOptions& options);

}  // namespace carousel
