// Operations between shapes: select_columns, row_sums, expand, matmul.
#include <gtest/gtest.h>

#include "autograd/ops/add.h"
#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/expand.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/row_sums.h"
#include "autograd/ops/select_columns.h"
#include "autograd/ops/tanh.h"
#include "tests/support/expect_error.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

using D = BasicVariable<double>;

BasicTensor<double> counted(const Shape& shape) {
  BasicTensor<double> tensor(shape);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor[i] = static_cast<double>(i + 1);
  return tensor;
}

void expect_values(D got, const Shape& shape, const std::vector<double>& expected) {
  ASSERT_EQ(got.shape(), shape);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(got.value().data[i], expected[i]) << i;
}

// Oracle: worked by hand.
TEST(Shapes, ValuesMatchTheFormulas) {
  const BasicTensor<double> a = counted({2, 1, 3}), b = counted({2, 3, 2});
  Tape<double> tape;
  const D x = tape.constant(a.view()), y = tape.constant(b.view());
  expect_values(select_columns(x, 1, 2), {2, 1, 2}, {2, 3, 5, 6});
  expect_values(select_columns(x, 3, 0), {2, 1, 0}, {});
  expect_values(row_sums(x), {2, 1}, {6, 15});
  expect_values(row_sums(row_sums(row_sums(x))), {}, {21});
  expect_values(expand(x, {2, 2, 3}), {2, 2, 3}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
  const BasicTensor<double> column = counted({1, 2, 1});
  expect_values(expand(tape.constant(column.view()), {3, 2, 2}), {3, 2, 2}, {1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2});
  expect_values(matmul(x, y), {2, 1, 2}, {1 + 6 + 15, 2 + 8 + 18, 28 + 45 + 66, 32 + 50 + 72});
}

// Oracle: central differences in double, of leaves, inner values and values used twice.
TEST(Shapes, GradientsMatchCentralDifferences) {
  auto x = random_parameter("x", {2, 3, 4}), y = random_parameter("y", {2, 4, 5}), z = random_parameter("z", {2, 1, 4});
  auto column = random_parameter("column", {1, 3, 1});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        const D inner = tanh(t.parameter(x));
        return concatenate_columns(
            {select_columns(inner, 1, 2), select_columns(t.parameter(x), 0, 4), select_columns(inner, 0, 3)});
      },
      {&x}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        const D inner = tanh(t.parameter(x));
        return add(row_sums(multiply(inner, inner)), row_sums(t.parameter(x)));
      },
      {&x}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        const D row = tanh(t.parameter(z)), c = tanh(t.parameter(column));
        const D rows = add(expand(row, {2, 3, 4}), expand(t.parameter(z), {2, 3, 4}));
        return add(multiply(rows, expand(c, {2, 3, 4})), multiply(expand(row, {2, 3, 4}), t.parameter(x)));
      },
      {&x, &z, &column}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        const D inner = tanh(t.parameter(y));
        return add(matmul(tanh(t.parameter(x)), inner), matmul(t.parameter(x), inner));
      },
      {&x, &y}));
}

// Oracle: the contract in the headers.
TEST(Shapes, RefusesShapesThatDoNotFit) {
  const BasicTensor<double> a({2, 3}), b({3, 2}), c({2, 3, 2}), scalar(Shape{});
  Tape<double> tape;
  const D x = tape.constant(a.view()), y = tape.constant(b.view()), z = tape.constant(c.view());
  expect_error(Code::kUsage, {"select_columns", "3 columns from column 1", "[2, 3]"}, [&] { select_columns(x, 1, 3); });
  expect_error(Code::kUsage, {"select_columns"}, [&] { select_columns(x, -1, 2); });
  expect_error(Code::kUsage, {"select_columns"}, [&] { select_columns(tape.constant(scalar.view()), 0, 1); });
  expect_error(Code::kUsage, {"row_sums"}, [&] { row_sums(tape.constant(scalar.view())); });
  expect_error(Code::kUsage, {"expand", "[2, 3]", "[4, 3]"}, [&] { expand(x, {4, 3}); });
  expect_error(Code::kUsage, {"expand"}, [&] { expand(x, {1, 2, 3}); });
  expect_error(Code::kUsage, {"matmul", "[2, 3]", "[2, 3]"}, [&] { matmul(x, x); });
  expect_error(Code::kUsage, {"matmul", "[3, 2]", "[2, 3, 2]"}, [&] { matmul(y, z); });
}

}  // namespace
}  // namespace carousel
