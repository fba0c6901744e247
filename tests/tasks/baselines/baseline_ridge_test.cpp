// Oracle: normal equations solved by hand or checked by putting the answer back, in double.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "tasks/baselines/lagged_moments.h"
#include "tasks/baselines/regression_baselines.h"
#include "tasks/baselines/ridge.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

using Matrix = BasicTensor<double>;

Matrix random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t tensor) {
  Matrix matrix(Shape{rows, columns});
  fill_normal({11, Purpose::kTest, tensor}, 0.0, 1.0, matrix.span());
  return matrix;
}

TEST(Ridge, CholeskySolvesWhatItFactors) {
  const std::int64_t n = 131, right = 3;
  const Matrix root = random_matrix(n, n, 1), x = random_matrix(right, n, 2);
  Matrix a(Shape{n, n}), b(Shape{right, n});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t k = 0; k < n; ++k) a[i * n + j] += root[i * n + k] * root[j * n + k];
    }
    a[i * n + i] += 1;
  }
  for (std::int64_t r = 0; r < right; ++r) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) b[r * n + i] += a[i * n + j] * x[r * n + j];
    }
  }
  ASSERT_TRUE(cholesky(a.view()));
  cholesky_solve(a.view(), b.view());
  expect_near(b, x, 1e-10, "x");
}

TEST(Ridge, CholeskyRefusesAnIndefiniteMatrix) {
  Matrix a(Shape{2, 2}, std::vector<double>{1, 2, 2, 1});
  EXPECT_FALSE(cholesky(a.view()));
}

TEST(Ridge, OneInputHasTheSchoolFormula) {
  // x = 0 1 2 3, y = 1 3 2 6: mx 1.5, my 3, Sxx 5, Sxy = 3 + 0 - 0.5 + 4.5 = 7.
  const Matrix x(Shape{4, 1}, std::vector<double>{0, 1, 2, 3}), y(Shape{4, 1}, std::vector<double>{1, 3, 2, 6});
  const Moments moments = moments_of(x.view(), y.view());
  const LinearMap plain = fit_ridge(moments, 0);
  EXPECT_NEAR(plain.weights[0], 7.0 / 5, 1e-14);
  EXPECT_NEAR(plain.intercept[0], 3 - 1.5 * 7 / 5, 1e-14);
  const LinearMap shrunk = fit_ridge(moments, 0.75);  // penalty * count = 3
  EXPECT_NEAR(shrunk.weights[0], 7.0 / 8, 1e-14);
  EXPECT_NEAR(shrunk.intercept[0], 3 - 1.5 * 7 / 8, 1e-14);
  double error = 0;
  for (std::int64_t n = 0; n < 4; ++n) error += std::pow(y[n] - shrunk.intercept[0] - shrunk.weights[0] * x[n], 2) / 4;
  EXPECT_NEAR(squared_error(shrunk, moments), error, 1e-13);
}

TEST(Ridge, TheSolutionMakesTheGradientZero) {
  const std::int64_t samples = 40, inputs = 5, outputs = 3;
  const Matrix x = random_matrix(samples, inputs, 3), y = random_matrix(samples, outputs, 4);
  const double penalty = 0.2;
  const LinearMap map = fit_ridge(moments_of(x.view(), y.view()), penalty);
  for (std::int64_t k = 0; k < outputs; ++k) {
    std::vector<double> gradient(inputs + 1);  // of half the objective, in the weights and the intercept
    for (std::int64_t n = 0; n < samples; ++n) {
      std::vector<double> predicted(outputs);
      map.apply({x.view().row(n), 5}, predicted);
      const double residual = predicted[static_cast<std::size_t>(k)] - y[n * outputs + k];
      for (std::int64_t i = 0; i < inputs; ++i) gradient[static_cast<std::size_t>(i)] += residual * x[n * inputs + i];
      gradient.back() += residual;
    }
    for (std::int64_t i = 0; i < inputs; ++i) {
      gradient[static_cast<std::size_t>(i)] += penalty * samples * map.weights[k * inputs + i];
    }
    expect_near(gradient, std::vector<double>(inputs + 1), 1e-12, "gradient");
  }
}

TEST(Ridge, MomentsOfTwoPartsCombineToThoseOfTheWhole) {
  const Matrix x = random_matrix(30, 4, 5), y = random_matrix(30, 2, 6);
  const auto part = [](const Matrix& m, std::int64_t from, std::int64_t to) {
    return View<const double>{m.view().row(from), Shape{to - from, m.shape().back()}};
  };
  const Moments whole = moments_of(x.view(), y.view());
  const Moments both =
      combined(moments_of(part(x, 0, 11), part(y, 0, 11)), moments_of(part(x, 11, 30), part(y, 11, 30)));
  EXPECT_EQ(both.count, whole.count);
  expect_near(both.mean, whole.mean, 1e-14, "mean");
  expect_near(both.products, whole.products, 1e-13, "products");
}

TEST(Ridge, TheChosenPenaltyIsSmallForExactDataAndLargeForNoise) {
  const Matrix x = random_matrix(60, 5, 7), check_x = random_matrix(200, 5, 8);
  const auto line = [](const Matrix& inputs) {
    Matrix y(Shape{inputs.shape()[0], 1});
    for (std::int64_t n = 0; n < y.elements(); ++n) y[n] = 2 * inputs[n * 5] - inputs[n * 5 + 3];
    return y;
  };
  const Matrix y = line(x), check_y = line(check_x);
  const PenaltyChoice exact =
      choose_penalty(moments_of(x.view(), y.view()), moments_of(check_x.view(), check_y.view()));
  EXPECT_EQ(exact.penalty, 1e-8);
  EXPECT_LT(exact.error, 1e-12);
  const Matrix noise = random_matrix(60, 1, 9), check_noise = random_matrix(200, 1, 10);
  EXPECT_EQ(choose_penalty(moments_of(x.view(), noise.view()), moments_of(check_x.view(), check_noise.view())).penalty,
            10);
  EXPECT_EQ(choose_penalty(Moments{}, Moments{}).penalty, 1e-3);
}

// Another road: the windows are made one by one.
TEST(LaggedMoments, EqualThoseOfTheWindowsWrittenOut) {
  Series series;
  series.columns = {"a", "b", "c"};
  series.values.resize(40 * 3);
  fill_normal({12, Purpose::kTest, 1}, 0.5, 2.0, std::span<double>(series.values));
  LagColumns columns;
  columns.inputs = {0, 2};
  columns.outputs = {2, 1};
  columns.mean = {0.1, 0.2, -0.3};
  columns.deviation = {2, 1.5, 0.7};
  const LagWindows windows{5, 3, 7, 31};
  const std::int64_t samples = 25;
  Matrix x(Shape{samples, 10}), y(Shape{samples, 6});
  for (std::int64_t n = 0; n < samples; ++n) {
    const auto scaled = [&](std::int64_t t, std::int64_t c) {
      return (series.at(t, c) - columns.mean[static_cast<std::size_t>(c)]) /
             columns.deviation[static_cast<std::size_t>(c)];
    };
    for (std::int64_t i = 0; i < 10; ++i)
      x[n * 10 + i] = scaled(2 + n + i / 2, columns.inputs[static_cast<std::size_t>(i % 2)]);
    for (std::int64_t i = 0; i < 6; ++i)
      y[n * 6 + i] = scaled(7 + n + i / 2, columns.outputs[static_cast<std::size_t>(i % 2)]);
  }
  const Moments direct = moments_of(x.view(), y.view()), lagged = lagged_moments(series, columns, windows);
  EXPECT_EQ(lagged.count, samples);
  EXPECT_EQ(lagged.inputs, 10);
  expect_near(lagged.mean, direct.mean, 1e-13, "mean");
  expect_near(lagged.products, direct.products, 1e-12, "products");
  EXPECT_EQ(lagged_moments(series, columns, {5, 3, 7, 6}).count, 0);
}

TEST(RegressionBaselines, MeanIsTheMeanAndLinearFindsAPlane) {
  const Matrix x = random_matrix(50, 3, 20);
  Matrix features(x.view()), targets(Shape{50, 2});
  for (std::int64_t n = 0; n < 50; ++n) {
    features[n * 3 + 1] = 1000 + 100 * x[n * 3 + 1];  // columns of very different size
    targets[n * 2] = 3 * x[n * 3] - 0.5 * x[n * 3 + 1] + 7;
    targets[n * 2 + 1] = x[n * 3 + 2] * 40;
  }
  EXPECT_EQ(mean_target(Matrix(Shape{2, 2}, std::vector<double>{1, 2, 5, 10}).view()), (std::vector<double>{3, 6}));
  const LinearBaseline linear = LinearBaseline::fit(features.view(), targets.view());
  expect_near(linear.predict(features.view()), targets, 1e-6, "predicted");
  expect_error(Code::kUsage, {"2 features", "expected 3"}, [&] { linear.predict(random_matrix(4, 2, 1).view()); });
  expect_error(Code::kUsage, {"50", "49"},
               [&] { LinearBaseline::fit(features.view(), random_matrix(49, 2, 1).view()); });
}

}  // namespace
}  // namespace carousel
