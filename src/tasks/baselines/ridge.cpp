#include "tasks/baselines/ridge.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"
#include "base/thread_pool.h"

namespace carousel {
namespace {

// Four running sums in a fixed order: as fast as the compiler can make it without leave to reorder.
double dot(const double* a, const double* b, std::int64_t n) {
  std::array<double, 4> sums{};
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (std::int64_t k = 0; k < 4; ++k) sums[static_cast<std::size_t>(k)] += a[i + k] * b[i + k];
  }
  double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

constexpr std::array<double, 7> kPenalties = {1e-8, 1e-5, 1e-3, 1e-2, 1e-1, 1, 10};

}  // namespace

Moments moments_of(View<const double> inputs, View<const double> outputs) {
  const std::int64_t samples = inputs.shape.rows(), in = inputs.shape.back(), out = outputs.shape.back();
  if (samples < 1 || outputs.shape.rows() != samples) {
    fail(Code::kUsage, "ridge: {} rows of inputs and {} of outputs, expected as many of both and at least 1", samples,
         outputs.shape.rows());
  }
  const std::int64_t size = in + out;
  Moments moments;
  moments.inputs = in;
  moments.count = static_cast<double>(samples);
  moments.mean.assign(static_cast<std::size_t>(size), 0.0);
  moments.products = BasicTensor<double>(Shape{size, size});
  BasicTensor<double> columns(Shape{size, samples});  // one row per variable, centred
  for (std::int64_t v = 0; v < size; ++v) {
    double* column = columns.data() + v * samples;
    double& mean = moments.mean[static_cast<std::size_t>(v)];
    for (std::int64_t n = 0; n < samples; ++n) {
      column[n] = v < in ? inputs.row(n)[v] : outputs.row(n)[v - in];
      mean += column[n];
    }
    mean /= moments.count;
    for (std::int64_t n = 0; n < samples; ++n) column[n] -= mean;
  }
  parallel_for(size, [&](std::int64_t i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      moments.products[i * size + j] = dot(columns.data() + i * samples, columns.data() + j * samples, samples);
    }
  });
  for (std::int64_t i = 0; i < size; ++i) {
    for (std::int64_t j = 0; j < i; ++j) moments.products[j * size + i] = moments.products[i * size + j];
  }
  return moments;
}

Moments combined(const Moments& a, const Moments& b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  const std::size_t size = a.mean.size();
  Moments both = a;
  both.count = a.count + b.count;
  // Chan, Golub and LeVeque 1979: S = Sa + Sb + (ma - mb)(ma - mb)^T na nb / (na + nb).
  const double weight = a.count * b.count / both.count;
  for (std::size_t i = 0; i < size; ++i) {
    const double apart = a.mean[i] - b.mean[i];
    both.mean[i] = (a.mean[i] * a.count + b.mean[i] * b.count) / both.count;
    for (std::size_t j = 0; j < size; ++j) {
      const auto at = static_cast<std::int64_t>(i * size + j);
      both.products[at] += b.products[at] + apart * (a.mean[j] - b.mean[j]) * weight;
    }
  }
  return both;
}

void LinearMap::apply(std::span<const double> x, std::span<double> y) const {
  const auto inputs = static_cast<std::int64_t>(x.size());
  for (std::size_t k = 0; k < y.size(); ++k) {
    y[k] = intercept[k] + dot(weights.data() + static_cast<std::int64_t>(k) * inputs, x.data(), inputs);
  }
}

bool cholesky(View<double> a) {
  const std::int64_t n = a.shape.back();
  // Column by column: row i of L needs the rows above it only, all of them read along the row.
  for (std::int64_t j = 0; j < n; ++j) {
    double* pivot_row = a.row(j);
    const double pivot = pivot_row[j] - dot(pivot_row, pivot_row, j);
    if (!(pivot > 0)) return false;
    pivot_row[j] = std::sqrt(pivot);
    constexpr std::int64_t kRows = 64;
    const std::int64_t below = n - j - 1;
    parallel_for((below + kRows - 1) / kRows, [&](std::int64_t block) {
      const std::int64_t end = std::min(n, j + 1 + (block + 1) * kRows);
      for (std::int64_t i = j + 1 + block * kRows; i < end; ++i) {
        a.row(i)[j] = (a.row(i)[j] - dot(a.row(i), pivot_row, j)) / pivot_row[j];
      }
    });
  }
  return true;
}

void cholesky_solve(View<const double> factor, View<double> b) {
  const std::int64_t n = factor.shape.back();
  parallel_for(b.shape.rows(), [&](std::int64_t k) {
    double* x = b.row(k);
    for (std::int64_t i = 0; i < n; ++i) x[i] = (x[i] - dot(factor.row(i), x, i)) / factor.row(i)[i];
    for (std::int64_t i = n - 1; i >= 0; --i) {  // L^T x = z, column by column of L^T = row by row of L
      x[i] /= factor.row(i)[i];
      for (std::int64_t j = 0; j < i; ++j) x[j] -= factor.row(i)[j] * x[i];
    }
  });
}

LinearMap fit_ridge(const Moments& moments, double penalty) {
  const std::int64_t inputs = moments.inputs, outputs = moments.outputs(), size = inputs + outputs;
  LinearMap map;
  map.weights = BasicTensor<double>(Shape{outputs, inputs});
  // Rounding can push a singular matrix below 0 where the penalty is tiny; then a larger one is taken.
  for (map.penalty = penalty;; map.penalty = std::max(map.penalty * 100, 1e-12)) {
    BasicTensor<double> a(Shape{inputs, inputs});
    for (std::int64_t i = 0; i < inputs; ++i) {
      std::copy_n(moments.products.data() + i * size, inputs, a.data() + i * inputs);
      a[i * inputs + i] += map.penalty * moments.count;
    }
    for (std::int64_t k = 0; k < outputs; ++k) {
      std::copy_n(moments.products.data() + (inputs + k) * size, inputs, map.weights.data() + k * inputs);
    }
    if (cholesky(a.view())) {
      cholesky_solve(a.view(), map.weights.view());
      break;
    }
    if (map.penalty > 1e6) fail(Code::kData, "ridge: the sums of products are not finite");
  }
  map.intercept.assign(static_cast<std::size_t>(outputs), 0.0);
  std::vector<double> at_mean(map.intercept.size());
  map.apply({moments.mean.data(), static_cast<std::size_t>(inputs)}, at_mean);
  for (std::size_t k = 0; k < at_mean.size(); ++k) {
    map.intercept[k] = moments.mean[static_cast<std::size_t>(inputs) + k] - at_mean[k];
  }
  return map;
}

double squared_error(const LinearMap& map, const Moments& moments) {
  const std::int64_t inputs = moments.inputs, outputs = moments.outputs(), size = inputs + outputs;
  std::vector<double> at_mean(static_cast<std::size_t>(outputs));
  map.apply({moments.mean.data(), static_cast<std::size_t>(inputs)}, at_mean);
  std::vector<double> errors(at_mean.size());
  // sum (y - a - Bx)^2 = Syy - 2 B Sxy + B Sxx B^T + n (my - a - B mx)^2, output by output.
  parallel_for(outputs, [&](std::int64_t k) {
    const double* b = map.weights.data() + k * inputs;
    const double* row = moments.products.data() + (inputs + k) * size;
    double sum = row[inputs + k] - 2 * dot(b, row, inputs);
    for (std::int64_t i = 0; i < inputs; ++i) sum += b[i] * dot(b, moments.products.data() + i * size, inputs);
    const double bias = moments.mean[static_cast<std::size_t>(inputs + k)] - at_mean[static_cast<std::size_t>(k)];
    errors[static_cast<std::size_t>(k)] = sum / moments.count + bias * bias;
  });
  double total = 0;
  for (double error : errors) total += error;
  return total;
}

PenaltyChoice choose_penalty(const Moments& fit, const Moments& check) {
  PenaltyChoice best;
  if (fit.count == 0 || check.count == 0) return best;
  best.error = INFINITY;
  for (double penalty : kPenalties) {
    const double error = squared_error(fit_ridge(fit, penalty), check);
    if (error < best.error) best = {penalty, error};
  }
  return best;
}

}  // namespace carousel
