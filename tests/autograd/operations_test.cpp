// The public operations of carousel/operations.h, in float.
//
// Oracle: the formulas in double, element by element.
#include "carousel/operations.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/tape.h"
#include "carousel/loss.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

constexpr double kTolerance = 1e-6;

std::vector<double> each(const Tensor& a, const Tensor& b, double (*f)(double, double)) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    values.push_back(f(static_cast<double>(a[i]), static_cast<double>(b[i])));
  }
  return values;
}

void expect_values(const Variable& got, const Shape& shape, const std::vector<double>& expected) {
  ASSERT_EQ(got.shape(), shape);
  expect_near(got.value().span(), expected, kTolerance, "values");
}

TEST(Operations, OfEveryElementMatchTheFormulas) {
  const Tensor a({2, 2}, std::vector<float>{0.5f, -2, 3, 0.25f}), b({2, 2}, std::vector<float>{5, 0.125f, 1, 4});
  Tape<float> tape;
  const Variable x = tape.constant(a.view()), y = tape.constant(b.view());
  const auto check = [&](const Variable& got, double (*f)(double, double)) {
    expect_values(got, {2, 2}, each(a, b, f));
  };
  check(add(x, y), [](double p, double q) { return p + q; });
  check(x + y, [](double p, double q) { return p + q; });
  check(subtract(x, y), [](double p, double q) { return p - q; });
  check(x - y, [](double p, double q) { return p - q; });
  check(multiply(x, y), [](double p, double q) { return p * q; });
  check(x * y, [](double p, double q) { return p * q; });
  check(divide(x, y), [](double p, double q) { return p / q; });
  check(x / y, [](double p, double q) { return p / q; });
  check(scale(x, -2, 1), [](double p, double) { return 1 - 2 * p; });
  check(-2 * x, [](double p, double) { return -2 * p; });
  check(exp(x), [](double p, double) { return std::exp(p); });
  check(log(y), [](double, double q) { return std::log(q); });
  check(tanh(x), [](double p, double) { return std::tanh(p); });
  check(sigmoid(x), [](double p, double) { return 1 / (1 + std::exp(-p)); });
  check(relu(x), [](double p, double) { return std::max(p, 0.0); });
  check(softplus(x), [](double p, double) { return std::log1p(std::exp(p)); });
}

TEST(Operations, OfRowsAndShapesMatchTheFormulas) {
  const Tensor a({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}), b({2, 1}, std::vector<float>{7, 8});
  Tape<float> tape;
  const Variable x = tape.constant(a.view()), y = tape.constant(b.view());
  const Variable parts[] = {y, y};
  expect_values(sum(x), {}, {21});
  expect_values(mean(x), {}, {3.5});
  expect_values(row_sums(x), {2}, {6, 15});
  const double e = std::exp(1.0), total = 1 + e + e * e;
  expect_values(softmax(x), {2, 3}, {1 / total, e / total, e * e / total, 1 / total, e / total, e * e / total});
  expect_values(matmul(transpose(x), y), {3, 1}, {39, 54, 69});
  expect_values(reshape(x, {6}), {6}, {1, 2, 3, 4, 5, 6});
  expect_values(transpose(x), {3, 2}, {1, 4, 2, 5, 3, 6});
  expect_values(expand(y, {2, 2}), {2, 2}, {7, 7, 8, 8});
  expect_values(concatenate_columns({x, y}), {2, 4}, {1, 2, 3, 7, 4, 5, 6, 8});
  expect_values(concatenate_columns(parts), {2, 2}, {7, 7, 8, 8});
  expect_values(concatenate_rows({y, y}), {4, 1}, {7, 8, 7, 8});
  expect_values(concatenate_rows(parts), {4, 1}, {7, 8, 7, 8});
  expect_values(select_columns(x, 1, 2), {2, 2}, {2, 3, 5, 6});
  expect_values(select_rows(x, std::vector<std::int64_t>{1, -1}), {2, 3}, {4, 5, 6, 0, 0, 0});
  expect_values(select_rows(x, 1, 1), {1, 3}, {4, 5, 6});
  expect_error(Code::kUsage, {"select_rows", "2 rows from row 1", "[2, 3]"}, [&] { select_rows(x, 1, 2); });
}

// Oracle: binary_cross_entropy() of loss.h, the mean of the same terms.
TEST(Operations, BinaryCrossEntropyElementsAreThoseOfTheLoss) {
  const Tensor a({2, 2}, std::vector<float>{0.5f, -20, 30, 0.25f}), t({2, 2}, std::vector<float>{1, 0, 0, 0.5f});
  Tape<float> tape;
  const Variable logits = tape.constant(a.view());
  const Variable elements = binary_cross_entropy_elements(logits, tape.constant(t.view()));
  EXPECT_FLOAT_EQ(mean(elements).item(), binary_cross_entropy(logits, t).item());
  EXPECT_EQ(elements.value().data[2], 30);
}

TEST(Operations, RefuseInputsOfDifferentTapes) {
  const Tensor a({2, 2});
  Tape<float> one, other;
  expect_error(Code::kUsage, {"different tapes"}, [&] { add(one.constant(a.view()), other.constant(a.view())); });
  expect_error(Code::kUsage, {"different tapes"}, [&] { matmul(one.constant(a.view()), other.constant(a.view())); });
}

}  // namespace
}  // namespace carousel
