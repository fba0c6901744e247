#include "kernels/packed_matrix.h"

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

template <class T>
class PackedMatrixOf : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PackedMatrixOf, Types);

struct Sizes {
  std::int64_t rows, n, k, ldx, ldy;
};

// y = beta y + x op(W) by the code under test.
template <class T>
Values<T> multiply(Op op, const Sizes& s, T beta, const Values<T>& x, const Values<T>& w, Values<T> y) {
  Values<T> packed(static_cast<std::size_t>(packed_size(s.k, s.n)), std::numeric_limits<T>::quiet_NaN());
  pack(op, s.k, s.n, w.data(), (op == Op::kPlain ? s.n : s.k) + 1, packed.data());
  multiply_packed(s.rows, s.n, s.k, x.data(), s.ldx, packed.data(), beta, y.data(), s.ldy);
  return y;
}

template <class T>
void expect_definition(Op op, const Sizes& s, T beta) {
  const std::int64_t ldw = (op == Op::kPlain ? s.n : s.k) + 1;
  const auto x = random_values<T>(s.rows * s.ldx, 1), w = random_values<T>((op == Op::kPlain ? s.k : s.n) * ldw, 2);
  const auto before = random_values<T>(s.rows * s.ldy, 3);
  const auto y = multiply(op, s, beta, x, w, before);
  const double unit = static_cast<double>(s.k + 1) * std::numeric_limits<T>::epsilon() / 2;
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < s.ldy; ++j) {
      if (j >= s.n) {
        ASSERT_EQ(y[i * s.ldy + j], before[i * s.ldy + j]) << "padding overwritten at " << i << ", " << j;
        continue;
      }
      double sum = beta == T{0} ? 0.0 : before[i * s.ldy + j], size = std::abs(sum);
      for (std::int64_t l = 0; l < s.k; ++l) {
        const double term = static_cast<double>(x[i * s.ldx + l]) * w[op == Op::kPlain ? l * ldw + j : j * ldw + l];
        sum += term;
        size += std::abs(term);
      }
      ASSERT_NEAR(y[i * s.ldy + j], sum, unit * size)
          << "element " << i << ", " << j << " of " << s.rows << " x " << s.n << ", k " << s.k;
    }
  }
}

// Oracle: the definition in double, with the error bound of a sum of k terms (Higham 2002, 4.2).
TYPED_TEST(PackedMatrixOf, EverySizeUpToTwoPanelsEqualsTheDefinition) {
  for_every_target([] {
    for (const std::int64_t n : {1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 65}) {
      for (const std::int64_t rows : {1, 2, 3, 4, 5, 6, 7, 13}) {
        expect_definition<TypeParam>(Op::kPlain, {rows, n, 5, 6, n + 2}, TypeParam{0});
        expect_definition<TypeParam>(Op::kTransposed, {rows, n, 19, 19, n}, TypeParam{1});
      }
    }
  });
}

// Oracle: the definition; sizes of real layers, k beyond one block.
TYPED_TEST(PackedMatrixOf, LayerSizesEqualTheDefinition) {
  for_every_target([] {
    expect_definition<TypeParam>(Op::kTransposed, {20, 203, 651, 660, 210}, TypeParam{1});
    expect_definition<TypeParam>(Op::kPlain, {3, 130, 1111, 1111, 130}, TypeParam{0});
    expect_definition<TypeParam>(Op::kPlain, {13, 70, 1111, 1120, 71}, TypeParam{0});
  });
}

// Oracle: the same row alone, bit for bit. Odd sizes; row lengths longer than the rows.
TYPED_TEST(PackedMatrixOf, ARowGivesTheSameBitsAloneAndInAnyBatch) {
  for_every_target([] {
    for (const std::int64_t k : {37, 611}) {
      const std::int64_t n = 53, ldx = k + 5, ldy = n + 7, most = 40;
      const auto x = random_values<TypeParam>(most * ldx, 1), w = random_values<TypeParam>(n * (k + 1), 2);
      const auto before = random_values<TypeParam>(most * ldy, 3);
      Values<TypeParam> packed(static_cast<std::size_t>(packed_size(k, n)));
      pack(Op::kTransposed, k, n, w.data(), k + 1, packed.data());
      for (const TypeParam beta : {TypeParam{0}, TypeParam{1}}) {
        auto alone = before;
        for (std::int64_t i = 0; i < most; ++i) {
          multiply_packed<TypeParam>(1, n, k, &x[i * ldx], ldx, packed.data(), beta, &alone[i * ldy], ldy);
        }
        for (std::int64_t rows = 1; rows <= most; ++rows) {
          auto batch = before;
          multiply_packed<TypeParam>(rows, n, k, x.data(), ldx, packed.data(), beta, batch.data(), ldy);
          for (std::int64_t i = 0; i < rows; ++i) {
            ASSERT_EQ(std::memcmp(&alone[i * ldy], &batch[i * ldy], n * sizeof(TypeParam)), 0)
                << "row " << i << " of " << rows << ", beta " << beta;
          }
        }
      }
    }
  });
}

// Oracle: closed form, an empty sum is 0; nothing is written for no rows.
TYPED_TEST(PackedMatrixOf, EmptyProducts) {
  std::vector<TypeParam> y{1, 2, 3};
  multiply_packed<TypeParam>(1, 3, 0, nullptr, 0, nullptr, TypeParam{1}, y.data(), 3);
  multiply_packed<TypeParam>(0, 3, 2, nullptr, 0, nullptr, TypeParam{0}, y.data(), 3);
  multiply_packed<TypeParam>(1, 0, 2, y.data(), 0, nullptr, TypeParam{0}, y.data(), 3);
  EXPECT_EQ(y, (std::vector<TypeParam>{1, 2, 3}));
  multiply_packed<TypeParam>(1, 3, 0, nullptr, 0, nullptr, TypeParam{0}, y.data(), 3);
  EXPECT_EQ(y, (std::vector<TypeParam>{0, 0, 0}));
}

// Oracle: the same product on the calling thread. The last piece of columns is a short one, then an odd one.
TEST(PackedMatrix, ManyThreadsGiveTheSameBits) {
  set_threads(4);
  for (const std::int64_t n : {1100, 1291}) {
    for (const std::int64_t rows : {1, 2, 5}) {
      const std::int64_t k = 503, ldy = n + 3;
      const auto x = random_values<float>(rows * k, 1), w = random_values<float>(n * k, 2);
      Values<float> packed(static_cast<std::size_t>(packed_size(k, n)));
      pack(Op::kTransposed, k, n, w.data(), k, packed.data());
      for (const float beta : {0.0f, 1.0f}) {
        auto one = random_values<float>(rows * ldy, 3), many = one;
        multiply_packed<float>(rows, n, k, x.data(), k, packed.data(), beta, one.data(), ldy);
        multiply_packed_on_threads(rows, n, k, x.data(), k, packed.data(), beta, many.data(), ldy);
        EXPECT_EQ(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)), 0) << rows << " " << n;
      }
    }
  }
  set_threads(1);
}

// Oracle: the packed form made on one thread.
TYPED_TEST(PackedMatrixOf, PackingOnManyThreadsGivesTheSameBits) {
  const std::int64_t k = 301, n = 515;
  const auto w = random_values<TypeParam>(k * n, 4);
  Values<TypeParam> one(static_cast<std::size_t>(packed_size(k, n))), many = one;
  for (const Op op : {Op::kPlain, Op::kTransposed}) {
    set_threads(1);
    pack(op, k, n, w.data(), op == Op::kPlain ? n : k, one.data());
    set_threads(4);
    pack(op, k, n, w.data(), op == Op::kPlain ? n : k, many.data());
    EXPECT_EQ(std::memcmp(one.data(), many.data(), one.size() * sizeof(TypeParam)), 0);
  }
  set_threads(1);
}

}  // namespace
}  // namespace carousel::kernels
