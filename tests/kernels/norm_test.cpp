#include "kernels/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "tests/kernels/random_values.h"
#include "tests/kernels/targets.h"

namespace carousel::kernels {
namespace {

using testing::for_every_target;
using testing::random_values;
using testing::Values;

template <class T>
struct Norm {
  std::int64_t rows, n;
  Values<T> x, gain, bias, mean, scale, y;

  Norm(std::int64_t row_count, std::int64_t width)
      : rows(row_count),
        n(width),
        x(random_values<T>(rows * n, 1)),
        gain(random_values<T>(n, 2)),
        bias(random_values<T>(n, 3)),
        mean(rows),
        scale(rows),
        y(rows * n) {}
  void forward() {
    layer_norm<T>({rows, n, x.data(), gain.data(), bias.data(), 1e-5, mean.data(), scale.data(), y.data()});
  }
};

// Oracle: the definition in double.
template <class T>
void expect_definition(std::int64_t n) {
  Norm<T> norm(3, n);
  norm.forward();
  for (std::int64_t i = 0; i < 3; ++i) {
    double mean = 0, variance = 0;
    for (std::int64_t j = 0; j < n; ++j) mean += static_cast<double>(norm.x[i * n + j]) / static_cast<double>(n);
    for (std::int64_t j = 0; j < n; ++j) variance += std::pow(norm.x[i * n + j] - mean, 2) / static_cast<double>(n);
    const double r = 1 / std::sqrt(variance + 1e-5);
    for (std::int64_t j = 0; j < n; ++j) {
      const double expected = norm.gain[j] * (norm.x[i * n + j] - mean) * r + norm.bias[j];
      ASSERT_NEAR(norm.y[i * n + j], expected, (4 + r) * 2 * std::numeric_limits<T>::epsilon())
          << "row " << i << " of width " << n << " at " << j;
    }
  }
}

TEST(LayerNormKernel, EveryWidthEqualsTheDefinition) {
  for_every_target([] {
    for (std::int64_t n = 1; n <= 33; ++n) {
      expect_definition<float>(n);
      expect_definition<double>(n);
    }
  });
}

// sum of weight * y for a change of one number.
double projected(Norm<double>& norm, const Values<double>& weight) {
  norm.forward();
  double sum = 0;
  for (std::size_t i = 0; i < norm.y.size(); ++i) sum += weight[i] * norm.y[i];
  return sum;
}

void expect_gradient(Norm<double>& norm, const Values<double>& weight, Values<double>& values,
                     const Values<double>& got) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double middle = values[i], step = 1e-5;
    values[i] = middle + step;
    const double high = projected(norm, weight);
    values[i] = middle - step;
    const double low = projected(norm, weight);
    values[i] = middle;
    EXPECT_NEAR(got[i], (high - low) / (2 * step), 1e-7 * (1 + std::abs(got[i]))) << i;
  }
}

// Oracle: central differences in double.
TEST(LayerNormKernel, BackwardPassIsTheDerivative) {
  for_every_target([] {
    Norm<double> norm(4, 7);
    norm.forward();
    const auto dy = random_values<double>(28, 5);
    Values<double> dx(28), dgain(7), dbias(7);
    layer_norm_backward<double>({norm.rows, norm.n, norm.x.data(), norm.gain.data(), norm.mean.data(),
                                 norm.scale.data(), dy.data(), dx.data(), dgain.data(), dbias.data()});
    expect_gradient(norm, dy, norm.x, dx);
    expect_gradient(norm, dy, norm.gain, dgain);
    expect_gradient(norm, dy, norm.bias, dbias);
  });
}

// Oracle: the same in double; sizes beyond one task of rows and of columns; adding to what is there.
// Oracle: the functions for all rows with gain 1 and bias 0, whose own oracles are above.
TEST(LayerNormKernel, OneRowIsARowOfMany) {
  for_every_target([] {
    for (std::int64_t n = 1; n <= 33; ++n) {
      Norm<double> norm(1, n);
      for (std::int64_t j = 0; j < n; ++j) {
        norm.gain[j] = 1;
        norm.bias[j] = 0;
      }
      norm.forward();
      Values<double> u(n), dx(n), d = random_values<double>(n, 4);
      const double r = normalise_row(norm.x.data(), n, 1e-5, u.data());
      layer_norm_backward<double>({.rows = 1,
                                   .n = n,
                                   .x = norm.x.data(),
                                   .gain = norm.gain.data(),
                                   .mean = norm.mean.data(),
                                   .scale = norm.scale.data(),
                                   .dy = d.data(),
                                   .dx = dx.data()});
      normalise_row_backward(u.data(), r, n, d.data());
      ASSERT_EQ(norm.scale[0], r) << n;
      for (std::int64_t j = 0; j < n; ++j) {
        ASSERT_NEAR(norm.y[j], u[j], 1e-14 * (1 + r)) << n << " at " << j;
        ASSERT_NEAR(dx[j], d[j], 1e-13 * (1 + r)) << n << " at " << j;
      }
    }
  });
}

TEST(LayerNormKernel, FloatGradientsEqualDoubleAndAnyNumberOfThreadsGivesTheSameBits) {
  const std::int64_t rows = 200, n = 131;
  Norm<float> norm(rows, n);
  Norm<double> wide(rows, n);
  wide.x.assign(norm.x.begin(), norm.x.end());
  wide.gain.assign(norm.gain.begin(), norm.gain.end());
  norm.forward();
  wide.forward();
  const auto dy = random_values<float>(rows * n, 5);
  const Values<double> dy_wide(dy.begin(), dy.end());
  const auto run = [&]<class T>(const Norm<T>& from, const Values<T>& gradient, int threads) {
    set_threads(threads);
    Values<T> result(rows * n + 2 * n, T{1});
    T *dx = result.data(), *dgain = dx + rows * n;
    layer_norm_backward<T>({rows, n, from.x.data(), from.gain.data(), from.mean.data(), from.scale.data(),
                            gradient.data(), dx, dgain, dgain + n, 1, 0, 1});
    return result;
  };
  const auto one = run(norm, dy, 1);
  const auto expected = run(wide, dy_wide, 1);
  for (std::size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(one[i], expected[i], 1e-5) << i;
  for (const int threads : {2, 4, 8}) EXPECT_EQ(run(norm, dy, threads), one) << threads;
  set_threads(1);
}

}  // namespace
}  // namespace carousel::kernels
