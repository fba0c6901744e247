// ridge.h: linear least squares with an L2 penalty, by the normal equations in double.
//
//   minimise  sum_n |y_n - a - B x_n|^2 + penalty count |B|^2     x [inputs], y [outputs]; a is not penalised
//   solution  B^T = (Sxx + penalty count I)^-1 Sxy,  a = my - B mx
// with S the centred sums of products and m the means (Hoerl and Kennard 1970). Inputs should be of like size, since
// one penalty serves all. Cost: inputs^3 / 6 products per penalty tried (Cholesky), whatever the number of samples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

// Sums over samples z = (x, y), the inputs in front: all that a linear fit needs.
struct Moments {
  std::int64_t inputs = 0;
  double count = 0;
  std::vector<double> mean;      // [inputs + outputs]
  BasicTensor<double> products;  // [inputs + outputs, inputs + outputs], sum (z - mean)(z - mean)^T, symmetric

  std::int64_t outputs() const noexcept { return static_cast<std::int64_t>(mean.size()) - inputs; }
};

// Of the samples inputs [N, inputs], outputs [N, outputs]. Throws Error{kUsage} if N differs or is 0.
Moments moments_of(View<const double> inputs, View<const double> outputs);
// Of the samples of both; one without samples adds nothing. REQUIRES: the same sizes.
Moments combined(const Moments& a, const Moments& b);

struct LinearMap {
  BasicTensor<double> weights;    // B [outputs, inputs]
  std::vector<double> intercept;  // a [outputs]
  double penalty = 0;

  void apply(std::span<const double> x, std::span<double> y) const;  // y = a + B x
};

LinearMap fit_ridge(const Moments& moments, double penalty);

// The penalty out of 1e-8 .. 10 that, fitted on `fit`, errs least on `check`, and that error (squared_error). With no
// sample in either, penalty 1e-3 and error 0.
struct PenaltyChoice {
  double penalty = 1e-3, error = 0;
};
PenaltyChoice choose_penalty(const Moments& fit, const Moments& check);

// The mean squared error, summed over the outputs, of the map on the samples of the moments.
double squared_error(const LinearMap& map, const Moments& moments);

// A = L L^T in place: the lower triangle of a [n, n] becomes L, the upper one is left alone. False if A is not positive
// definite (a pivot is not above 0).
bool cholesky(View<double> a);
// b [m, n], m right-hand sides, one per row: each becomes A^-1 b.
void cholesky_solve(View<const double> factor, View<double> b);

}  // namespace carousel
