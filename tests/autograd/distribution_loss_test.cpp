// gaussian_loss, student_t_loss, negative_binomial_loss, quantile_loss; add_first_columns, which joins a location and
// the rest.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "autograd/ops/add_first_columns.h"
#include "autograd/ops/gamma_functions.h"
#include "autograd/ops/gaussian_loss.h"
#include "autograd/ops/negative_binomial_loss.h"
#include "autograd/ops/quantile_loss.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/student_t_loss.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

using Matrix = BasicTensor<double>;
using Loss = std::function<BasicVariable<double>(BasicVariable<double>, View<const double>)>;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

double softplus_of(double x) { return std::log(1 + std::exp(x)); }

double loss_of(const Loss& loss, const std::vector<double>& parameters, double target) {
  const Matrix x({1, static_cast<std::int64_t>(parameters.size())}, parameters), t({1, 1}, std::vector<double>{target});
  Tape<double> tape;
  return loss(tape.constant(x.view()), t.view()).item();
}

// The integral of exp(-loss) over the target: 1 for the logarithm of a density.
double mass(const Loss& loss, const std::vector<double>& parameters) {
  double sum = 0;
  constexpr double kStep = 0.01;
  for (double t = -400; t < 400; t += kStep) sum += std::exp(-loss_of(loss, parameters, t)) * kStep;
  return sum;
}

const Matrix kOnes({1, 1}, std::vector<double>{1}), kZeros({1, 1});

BasicVariable<double> counts_loss(BasicVariable<double> x, View<const double> t) {
  return negative_binomial_loss<double>(x, t, {kZeros.view(), kOnes.view()});
}

// Oracle: std::lgamma and, for its derivative, the recurrence from -0.57721... and central differences.
TEST(GammaFunctions, MatchTheLibraryAndTheRecurrence) {
  for (const double x : {1e-4, 0.3, 1.0, 2.5, 9.99, 10.0, 47.0, 1e4, 1e7}) {
    EXPECT_NEAR(detail::log_gamma(x), std::lgamma(x), 1e-13 * std::max(1.0, std::abs(std::lgamma(x)))) << x;
    EXPECT_NEAR(detail::digamma(x + 1) - detail::digamma(x), 1 / x, 1e-13 * std::max(1.0, 1 / x) * 10) << x;
  }
  EXPECT_NEAR(detail::digamma(1), -std::numbers::egamma, 1e-14);
  EXPECT_NEAR(detail::digamma(0.5), -std::numbers::egamma - 2 * std::numbers::ln2, 1e-14);
}

// Oracle: the density of the normal distribution, and of Student's t with the moments by numerical integration: mass 1.
TEST(DistributionLoss, GaussianAndStudentAreDensities) {
  const double deviation = kLeastDeviation + softplus_of(0.4);
  const double expected = std::exp(-std::pow((1.5 - 0.7) / deviation, 2) / 2) / std::sqrt(2 * std::numbers::pi);
  EXPECT_NEAR(loss_of(gaussian_loss<double>, {0.7, 0.4}, 1.5), -std::log(expected / deviation), 1e-14);
  EXPECT_NEAR(mass(student_t_loss<double>, {0.7, 0.4, 2.0}), 1, 1e-5);
  // With 1e6 degrees of freedom Student's t is the normal distribution.
  EXPECT_NEAR(loss_of(student_t_loss<double>, {0.7, 0.4, 1e6}, 1.5), loss_of(gaussian_loss<double>, {0.7, 0.4}, 1.5),
              1e-6);
}

// Oracle: the probabilities of all counts add up to 1, with mean m and variance m + a m^2.
TEST(DistributionLoss, NegativeBinomialHasItsMoments) {
  const double a = kLeastDispersion + softplus_of(-1.0);
  double total = 0, mean = 0, square = 0;
  for (int count = 0; count < 1500; ++count) {
    const double p = std::exp(-loss_of(counts_loss, {7.5, -1}, count));
    total += p;
    mean += p * count;
    square += p * count * count;
  }
  EXPECT_NEAR(total, 1, 1e-12);
  EXPECT_NEAR(mean, 7.5, 1e-11);
  EXPECT_NEAR(square - mean * mean, 7.5 + a * 7.5 * 7.5, 1e-9);
}

// Oracle: the mean follows the location from the knee on, and below it is positive and meets it with the same slope.
TEST(DistributionLoss, MeansOfCountsStayPositive) {
  EXPECT_EQ(count_mean(2, 10, 4).value, 18);
  EXPECT_EQ(count_mean(2, 10, 4).slope, 4);
  const CountMean knee = count_mean(-2.25 - 1e-9, 10, 4);  // at 1, a tenth of 10
  EXPECT_NEAR(knee.value, 1, 1e-8);
  EXPECT_NEAR(knee.slope, 4, 1e-7);
  EXPECT_GT(count_mean(-1e6, 10, 4).value, 0);
}

// Oracle: pinball losses by hand of quantiles 1, 1 + s(0), ... with s = softplus; the middle level is 0.4.
TEST(DistributionLoss, QuantilesAreStepsFromTheMiddleOne) {
  const std::vector<double> levels{0.1, 0.4, 0.8, 0.9};
  const auto loss = [&](BasicVariable<double> x, View<const double> t) { return quantile_loss<double>(x, t, levels); };
  const double up = 1 + softplus_of(0), top = up + softplus_of(1), low = 1 - softplus_of(-1);
  const double target = 1.5;
  const double expected = (0.1 * (target - low) + 0.4 * (target - 1) + 0.2 * (up - target) + 0.1 * (top - target)) / 4;
  EXPECT_NEAR(loss_of(loss, {1, 0, 1, -1}, target), expected, 1e-15);
  EXPECT_EQ(middle_level(levels), 1);
  EXPECT_EQ(middle_level(std::vector<double>{0.9}), 0);
}

// Oracle: central differences in double, with a target that is missing and one far away; its memory is gone before the
// backward pass.
TEST(DistributionLoss, GradientsMatchCentralDifferences) {
  Matrix target({3, 2}), counts({3, 2}, std::vector<double>{0, 3, kMissing, 40, 7, 1});
  fill_normal({4, Purpose::kTest, 0}, 0.0, 2.0, target.span());
  target[3] = kMissing;
  target[4] = 30;
  const Matrix shift({3, 2}, std::vector<double>{10, 10, 3, 3, 0, 0});
  const Matrix slope({3, 2}, std::vector<double>{4, 4, 5, 5, 20, 20});
  const std::vector<double> levels{0.05, 0.2, 0.5, 0.7, 0.95};
  const auto check = [&](std::int64_t width, const Matrix& t, const Loss& loss) {
    auto x = random_parameter("x", {3, width * 2}, 1.5);
    return check_gradients(
        [&](Tape<double>& tape) { return scale(loss(scale(tape.parameter(x), 1.25), Matrix(t).view()), -3.0); }, {&x});
  };
  EXPECT_TRUE(check(2, target, gaussian_loss<double>));
  EXPECT_TRUE(check(3, target, student_t_loss<double>));
  EXPECT_TRUE(check(5, target, [&](auto x, auto t) { return quantile_loss<double>(x, t, levels); }));
  EXPECT_TRUE(check(2, counts, [&](auto x, auto t) {
    return negative_binomial_loss<double>(x, t, {shift.view(), slope.view()});
  }));
}

// Oracle: worked by hand; central differences in double, where both inputs are used twice.
TEST(AddFirstColumns, AddsANarrowerValue) {
  const Matrix wide({2, 3}, std::vector<double>{1, 2, 3, 4, 5, 6}), narrow({2, 1}, std::vector<double>{10, 20});
  Tape<double> tape;
  const auto y = add_first_columns(tape.constant(wide.view()), tape.constant(narrow.view()));
  const std::vector<double> expected{11, 2, 3, 24, 5, 6};
  for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(y.value().data[i], expected[static_cast<std::size_t>(i)]) << i;
  EXPECT_THROW(add_first_columns(tape.constant(narrow.view()), tape.constant(wide.view())), Error);
  auto a = random_parameter("a", {3, 4}, 1.0), b = random_parameter("b", {3, 2}, 1.0);
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        const auto inner = add_first_columns(scale(t.parameter(a), 1.5), scale(t.parameter(b), -2.0));
        return add_first_columns(add_first_columns(inner, t.parameter(a)), t.parameter(b));
      },
      {&a, &b}));
}

// Oracle: the mean over the known targets is that of the same batch without the missing one; nothing known is 0.
TEST(DistributionLoss, MissingTargetsDoNotCount) {
  const Matrix x({2, 2}, std::vector<double>{1, 0, 9, 9}), t({2, 1}, std::vector<double>{2, kMissing});
  Tape<double> tape;
  EXPECT_EQ(gaussian_loss<double>(tape.constant(x.view()), t.view()).item(), loss_of(gaussian_loss<double>, {1, 0}, 2));
  EXPECT_EQ(loss_of(gaussian_loss<double>, {1, 0}, kMissing), 0);
  EXPECT_THROW(gaussian_loss<double>(tape.constant(x.view()), x.view()), Error);
}

}  // namespace
}  // namespace carousel
