// Operations that move rows and columns: select_rows, embedding, concatenate_columns, concatenate_rows, transpose.
#include <gtest/gtest.h>

#include <array>

#include "autograd/ops/add.h"
#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/concatenate_rows.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/embedding_sum.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/sum.h"
#include "autograd/ops/tanh.h"
#include "autograd/ops/transpose.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

constexpr std::array<std::int64_t, 6> kRows{4, 1, 1, 0, 4, 4};
constexpr std::array<std::int32_t, 6> kIds{4, 1, 1, 0, 4, 4};

// Oracle: worked by hand; row 2 of the table is never used and row 4 three times.
TEST(Rows, SelectAndEmbeddingCopyRowsAndAddTheirGradients) {
  BasicParameter<double> table("table", BasicTensor<double>({5, 2}));
  for (std::int64_t i = 0; i < 10; ++i) table.value[i] = static_cast<double>(i);
  BasicTensor<double> direction({6, 2});
  for (std::int64_t i = 0; i < 12; ++i) direction[i] = static_cast<double>(1 << i);
  for (const bool as_embedding : {false, true}) {
    table.make_gradient();
    table.gradient.fill(0.5);
    Tape<double> tape;
    auto leaf = tape.parameter(table);
    auto y = as_embedding ? embedding<double>(leaf, kIds) : select_rows<double>(leaf, kRows);
    ASSERT_EQ(y.shape(), (Shape{6, 2}));
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(y.value().row(static_cast<std::int64_t>(i))[0], 2.0 * static_cast<double>(kRows[i])) << i;
      EXPECT_EQ(y.value().row(static_cast<std::int64_t>(i))[1], 2.0 * static_cast<double>(kRows[i]) + 1) << i;
    }
    tape.backward(sum(multiply(y, tape.constant(direction.view()))));
    const double expected[10] = {64, 128, 4 + 16, 8 + 32, 0, 0, 0, 0, 1 + 256 + 1024, 2 + 512 + 2048};
    for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ(table.gradient[i], expected[i] + 0.5) << i;
  }
}

constexpr std::array<std::int64_t, 5> kStarts{0, 2, 2, 5, 6};  // lists of 2, 0, 3 and 1 ids

// Oracle: worked by hand, with kIds; an empty list, and an id twice in a list.
TEST(Rows, EmbeddingSumAddsTheRowsOfEachListAndGivesEachItsGradient) {
  BasicParameter<double> table("table", BasicTensor<double>({5, 2}));
  for (std::int64_t i = 0; i < 10; ++i) table.value[i] = static_cast<double>(i);
  table.make_gradient();
  BasicTensor<double> direction({4, 2});
  for (std::int64_t i = 0; i < 8; ++i) direction[i] = static_cast<double>(1 << i);
  Tape<double> tape;
  const auto y = embedding_sum<double>(tape.parameter(table), kStarts, kIds);
  const double sums[8] = {8 + 2, 9 + 3, 0, 0, 2 + 0 + 8, 3 + 1 + 9, 8, 9};
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(y.value().data[i], sums[i]) << i;
  tape.backward(sum(multiply(y, tape.constant(direction.view()))));
  const double gradient[10] = {16, 32, 1 + 16, 2 + 32, 0, 0, 0, 0, 1 + 16 + 64, 2 + 32 + 128};
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ(table.gradient[i], gradient[i]) << i;
  for (const std::int32_t wrong : {-1, 5}) {
    EXPECT_THROW(embedding_sum<double>(tape.parameter(table), std::array<std::int64_t, 2>{0, 1},
                                       std::array<std::int32_t, 1>{wrong}),
                 Error);
  }
}

// Oracle: central differences in double; the index memory is overwritten before the backward pass.
TEST(Rows, GradientsMatchCentralDifferences) {
  auto x = random_parameter("x", {5, 3}), table = random_parameter("table", {5, 3});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        auto index = kRows;
        auto ids = kIds;
        auto inner = tanh(t.parameter(x));
        auto y = add(select_rows<double>(inner, index), embedding<double>(tanh(t.parameter(table)), ids));
        constexpr std::array<std::int64_t, 7> kOneOrNone{0, 1, 1, 2, 4, 4, 6};
        y = add(y, embedding_sum<double>(tanh(t.parameter(table)), kOneOrNone, ids));
        index.fill(0);
        ids.fill(0);
        return concatenate_columns({y, select_rows<double>(t.parameter(x), kRows)});
      },
      {&x, &table}));
  auto sequence = random_parameter("sequence", {3, 2, 4});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        return select_rows<double>(t.parameter(sequence), std::array<std::int64_t, 2>{5, 0});
      },
      {&sequence}));
}

// Oracle: worked by hand, then central differences with a leaf and an inner value.
TEST(Rows, MinusOneSelectsARowOfZeros) {
  const BasicTensor<double> a({2, 2}, std::vector<double>{1, 2, 3, 4});
  const std::array<std::int64_t, 4> index{1, -1, 0, -1};
  Tape<double> tape;
  const auto y = select_rows<double>(tape.constant(a.view()), index);
  const double expected[] = {3, 4, 0, 0, 1, 2, 0, 0};
  for (int i = 0; i < 8; ++i) EXPECT_EQ(y.value().data[i], expected[i]) << i;

  auto x = random_parameter("x", {2, 3});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        return add(select_rows<double>(t.parameter(x), index), select_rows<double>(tanh(t.parameter(x)), index));
      },
      {&x}));
}

// Oracle: worked by hand, then central differences with leaf, inner and repeated parts.
TEST(Rows, ConcatenateRowsJoinsTheFirstAxis) {
  const BasicTensor<double> a({2, 1, 2}, std::vector<double>{1, 2, 3, 4}), b({1, 1, 2}, std::vector<double>{5, 6});
  Tape<double> tape;
  auto y = concatenate_rows({tape.constant(a.view()), tape.constant(b.view()), tape.constant(a.view())});
  ASSERT_EQ(y.shape(), (Shape{5, 1, 2}));
  const double expected[] = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(y.value().data[i], expected[i]) << i;

  auto p = random_parameter("p", {3, 2}), q = random_parameter("q", {1, 2});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        auto inner = tanh(t.parameter(p));
        return concatenate_rows({inner, t.parameter(q), inner, t.parameter(p)});
      },
      {&p, &q}));
}

// Oracle: worked by hand, then central differences with a leaf and an inner value.
TEST(Rows, TransposeSwapsTheLastTwoAxes) {
  const BasicTensor<double> a({2, 2, 3}, std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  Tape<double> tape;
  const auto y = transpose(tape.constant(a.view()));
  ASSERT_EQ(y.shape(), (Shape{2, 3, 2}));
  const double expected[] = {1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12};
  for (int i = 0; i < 12; ++i) EXPECT_EQ(y.value().data[i], expected[i]) << i;

  auto x = random_parameter("x", {2, 3, 4});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        auto inner = tanh(t.parameter(x));
        return concatenate_rows({transpose(inner), transpose(t.parameter(x)), transpose(inner)});
      },
      {&x}));
}

// Oracle: worked by hand, then central differences with leaf, inner and repeated parts.
TEST(Rows, ConcatenateJoinsTheLastAxis) {
  const BasicTensor<double> a({2, 1, 2}, std::vector<double>{1, 2, 3, 4}), b({2, 1, 1}, std::vector<double>{5, 6});
  Tape<double> tape;
  auto y = concatenate_columns({tape.constant(a.view()), tape.constant(b.view()), tape.constant(a.view())});
  ASSERT_EQ(y.shape(), (Shape{2, 1, 5}));
  const double expected[] = {1, 2, 5, 1, 2, 3, 4, 6, 3, 4};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(y.value().data[i], expected[i]) << i;

  auto p = random_parameter("p", {3, 2}), q = random_parameter("q", {3, 4});
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) {
        auto inner = tanh(t.parameter(p));
        return concatenate_columns({inner, t.parameter(q), inner, t.parameter(p)});
      },
      {&p, &q}));
}

// Oracle: the contract in the headers.
TEST(Rows, NamesTheIndexThatIsOutOfRange) {
  const BasicTensor<double> x({5, 3}), y({4, 3});
  Tape<double> tape;
  auto v = tape.constant(x.view());
  const auto message = [](auto f) {
    try {
      f();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUsage);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message([&] {
              embedding<double>(v, std::array<std::int32_t, 2>{4, 5});
            }),
            "embedding: row 1 has token id 5, expected 0 .. 4");
  EXPECT_EQ(message([&] { embedding<double>(v, std::array<std::int32_t, 1>{-1}); }),
            "embedding: row 0 has token id -1, expected 0 .. 4");
  EXPECT_EQ(message([&] {
              select_rows<double>(v, std::array<std::int64_t, 2>{0, 5});
            }),
            "select_rows: index 1 names row 5 of 5");
  EXPECT_EQ(message([&] {
              concatenate_columns({v, tape.constant(y.view())});
            }),
            "concatenate_columns: a part has shape [4, 3], expected [5, 3]");
  EXPECT_EQ(message([&] { select_rows<double>(v, std::array<std::int64_t, 1>{-2}); }),
            "select_rows: index 0 names row -2 of 5");
  const BasicTensor<double> z({1, 2}), scalar(Shape{});
  EXPECT_EQ(message([&] {
              concatenate_rows({v, tape.constant(z.view())});
            }),
            "concatenate_rows: a part has shape [1, 2], expected [1, 3]");
  EXPECT_EQ(message([&] { transpose(tape.constant(scalar.view())); }),
            "transpose: x has shape [], expected two axes or more");
}

}  // namespace
}  // namespace carousel
