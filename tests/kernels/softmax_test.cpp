#include "kernels/softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/thread_pool.h"
#include "tests/kernels/random_values.h"
#include "tests/kernels/targets.h"

namespace carousel::kernels {
namespace {

using testing::for_every_target;
using testing::random_values;
using testing::Values;

constexpr float kEpsilon = std::numeric_limits<float>::epsilon();

// The definition of one row, in double.
std::vector<double> log_probabilities(const float* x, std::int64_t n) {
  double peak = x[0], sum = 0;
  for (std::int64_t k = 0; k < n; ++k) peak = std::max(peak, static_cast<double>(x[k]));
  for (std::int64_t k = 0; k < n; ++k) sum += std::exp(x[k] - peak);
  std::vector<double> result;
  for (std::int64_t k = 0; k < n; ++k) result.push_back(x[k] - peak - std::log(sum));
  return result;
}

// Oracle: the definition in double. Every number of classes up to two widest vectors + 1, logits of size 30.
TEST(Softmax, FloatRowsEqualTheDefinition) {
  for_every_target([] {
    for (std::int64_t n = 1; n <= 33; ++n) {
      auto x = random_values<float>(5 * n, 1);
      for (float& value : x) value *= 30;
      Values<float> p(x.size()), log_p(x.size());
      softmax(5, n, x.data(), p.data());
      log_softmax(5, n, x.data(), log_p.data());
      for (std::int64_t i = 0; i < 5; ++i) {
        const auto expected = log_probabilities(&x[i * n], n);
        for (std::int64_t k = 0; k < n; ++k) {
          // x - max x is rounded once, and exp makes a relative error of an absolute one.
          const double probability = std::exp(expected[k]), bound = (8 - expected[k]) * kEpsilon * probability + 1e-37;
          ASSERT_NEAR(p[i * n + k], probability, bound) << "row " << i << " of " << n << " at " << k;
          ASSERT_NEAR(log_p[i * n + k], expected[k], 4 * kEpsilon * (1 + std::abs(expected[k])));
        }
      }
    }
  });
}

// Oracle: closed form. Logits far apart, equal, and beyond the range of exp.
TEST(Softmax, ExtremeLogitsGiveTheirLimits) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x{1000, -1000, 0, -infinity, 3e38f, 3e38f, -3e38f, 0};
  std::vector<float> p(x.size());
  softmax(2, 4, x.data(), p.data());
  EXPECT_EQ(p, (std::vector<float>{1, 0, 0, 0, 0.5f, 0.5f, 0, 0}));
  std::vector<float> bad{0, std::nanf(""), 1};
  softmax(1, 3, bad.data(), bad.data());
  for (const float value : bad) EXPECT_TRUE(std::isnan(value));
}

// f(x) = sum_k weight_k y_k(x), and its derivative by x_at from central differences.
template <class F>
double central_difference(const F& f, Values<double> x, std::int64_t at) {
  const double step = 1e-5, middle = x[at];
  x[at] = middle + step;
  const double high = f(x);
  x[at] = middle - step;
  return (high - f(x)) / (2 * step);
}

// Oracle: central differences in double.
TEST(Softmax, BackwardPassesAreTheDerivatives) {
  const std::int64_t rows = 3, n = 7;
  const auto x = random_values<double>(rows * n, 1), weight = random_values<double>(rows * n, 2);
  const auto check = [&](auto forward, auto backward) {
    const auto loss = [&](const Values<double>& at) {
      Values<double> y(at.size());
      forward(rows, n, at.data(), y.data());
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += weight[i] * y[i];
      return sum;
    };
    Values<double> y(x.size()), dx(x.size());
    forward(rows, n, x.data(), y.data());
    backward(rows, n, y.data(), weight.data(), dx.data());
    for (std::int64_t i = 0; i < rows * n; ++i) EXPECT_NEAR(dx[i], central_difference(loss, x, i), 1e-9) << i;
  };
  check(softmax<double>, softmax_backward<double>);
  check(log_softmax<double>, log_softmax_backward<double>);
}

// Oracle: the same in double, whose derivatives are checked above.
TEST(Softmax, FloatBackwardPassesEqualDouble) {
  for_every_target([] {
    for (std::int64_t n = 1; n <= 33; ++n) {
      const auto x = random_values<float>(2 * n, 1), d = random_values<float>(2 * n, 2);
      const Values<double> x_double(x.begin(), x.end()), d_double(d.begin(), d.end());
      Values<float> y(x.size()), dx(d);
      Values<double> y_double(x.size()), dx_double(x.size());
      softmax(2, n, x.data(), y.data());
      softmax_backward(2, n, y.data(), dx.data(), dx.data());
      softmax(2, n, x_double.data(), y_double.data());
      softmax_backward(2, n, y_double.data(), d_double.data(), dx_double.data());
      for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(dx[i], dx_double[i], 4 * kEpsilon) << "softmax " << n;
      log_softmax(2, n, x.data(), y.data());
      log_softmax_backward(2, n, y.data(), d.data(), dx.data());
      log_softmax(2, n, x_double.data(), y_double.data());
      log_softmax_backward(2, n, y_double.data(), d_double.data(), dx_double.data());
      for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(dx[i], dx_double[i], 16 * kEpsilon) << "log_softmax " << n;
    }
  });
}

struct Problem {
  std::int64_t rows = 4, classes = 5;
  std::vector<std::int32_t> labels{3, -1, 0, 4};
  std::vector<float> weights{0.5f, 2, 1, 0.25f, 3};
  double smoothing = 0.1;
};

template <class T>
CrossEntropy<T> job_of(const Problem& p, const T* x, bool weighted, double smoothing) {
  CrossEntropy<T> job;
  job.rows = p.rows, job.classes = p.classes, job.x = x, job.labels = p.labels.data(), job.smoothing = smoothing;
  if (weighted) job.class_weights = p.weights.data();
  return job;
}

// Oracle: the definition, from log_softmax; the gradient: central differences in double.
TEST(CrossEntropyRows, LossAndGradientFollowTheDefinition) {
  const Problem p;
  const auto x = random_values<double>(p.rows * p.classes, 3);
  for (const bool weighted : {false, true}) {
    for (const double smoothing : {0.0, 0.3}) {
      const auto total = [&](const Values<double>& at) {
        std::vector<double> losses(p.rows);
        auto job = job_of<double>(p, at.data(), weighted, smoothing);
        job.losses = losses.data();
        cross_entropy(job);
        return losses[0] + losses[1] + losses[2] + losses[3];
      };
      Values<double> log_p(x.size()), dx(x.size());
      log_softmax(p.rows, p.classes, x.data(), log_p.data());
      double expected = 0;
      for (const std::int64_t i : {0, 2, 3}) {
        const auto weight = [&](std::int64_t k) { return weighted ? p.weights[k] : 1.0; };
        expected -= (1 - smoothing) * weight(p.labels[i]) * log_p[i * 5 + p.labels[i]];
        for (int k = 0; k < 5; ++k) expected -= smoothing / 5 * weight(k) * log_p[i * 5 + k];
      }
      EXPECT_NEAR(total(x), expected, 1e-13);

      std::vector<double> losses(p.rows);
      auto job = job_of<double>(p, x.data(), weighted, smoothing);
      job.losses = losses.data(), job.dx = dx.data(), job.scale = -2;
      cross_entropy(job);
      EXPECT_EQ(losses[1], 0);
      for (std::int64_t i = 0; i < p.rows * p.classes; ++i) {
        EXPECT_NEAR(dx[i], -2 * central_difference(total, x, i), 1e-9) << i;
      }
    }
  }
}

// Oracle: the same in double.
TEST(CrossEntropyRows, FloatEqualsDouble) {
  const Problem p;
  const auto x = random_values<float>(p.rows * p.classes, 3);
  const Values<double> x_double(x.begin(), x.end());
  for_every_target([&] {
    for (const bool weighted : {false, true}) {
      std::vector<double> losses(p.rows), losses_double(p.rows);
      Values<float> dx(x);
      Values<double> dx_double(x.size());
      auto job = job_of<float>(p, dx.data(), weighted, 0.1);
      job.losses = losses.data(), job.dx = dx.data();
      cross_entropy(job);
      auto job_double = job_of<double>(p, x_double.data(), weighted, 0.1);
      job_double.losses = losses_double.data(), job_double.dx = dx_double.data();
      cross_entropy(job_double);
      for (int i = 0; i < 4; ++i) EXPECT_NEAR(losses[i], losses_double[i], 8 * kEpsilon);
      for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(dx[i], dx_double[i], 8 * kEpsilon) << i;
    }
  });
}

// Oracle: one thread, bit for bit.
TEST(Softmax, AnyNumberOfThreadsGivesTheSameBits) {
  const std::int64_t rows = 301, n = 203;
  const auto x = random_values<float>(rows * n, 4);
  Values<float> one(x.size()), many(x.size());
  set_threads(1);
  softmax(rows, n, x.data(), one.data());
  for (const int count : {2, 4, 8}) {
    set_threads(count);
    softmax(rows, n, x.data(), many.data());
    EXPECT_EQ(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)), 0) << count;
  }
  set_threads(1);
}

}  // namespace
}  // namespace carousel::kernels
