#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/thread_pool.h"
#include "tests/kernels/random_values.h"
#include "tests/kernels/targets.h"

namespace carousel::kernels {
namespace {

using testing::random_values;
using testing::Values;

constexpr std::int64_t kPadding = 3;  // every row length is longer than the row

struct Sizes {
  std::int64_t m, n, k;
};

template <class T>
struct Operands {
  Values<T> a, b, c;
  Gemm<T> product;
};

template <class T>
Operands<T> make(Op op_a, Op op_b, Sizes size, T beta) {
  const auto [m, n, k] = size;
  Operands<T> o;
  const std::int64_t lda = (op_a == Op::kPlain ? k : m) + kPadding, ldb = (op_b == Op::kPlain ? n : k) + kPadding;
  o.a = random_values<T>((op_a == Op::kPlain ? m : k) * lda, 1);
  o.b = random_values<T>((op_b == Op::kPlain ? k : n) * ldb, 2);
  o.c = random_values<T>(m * (n + kPadding), 3);
  o.product = {op_a, op_b, m, n, k, o.a.data(), lda, o.b.data(), ldb, beta, o.c.data(), n + kPadding};
  return o;
}

// The definition, in double; element (i, j) and the sum of the sizes of its terms.
template <class T>
std::pair<double, double> definition(const Gemm<T>& p, const Values<T>& c_before, std::int64_t i, std::int64_t j) {
  double sum = p.beta == T{0} ? 0.0 : static_cast<double>(p.beta) * c_before[i * p.ldc + j], size = std::abs(sum);
  for (std::int64_t l = 0; l < p.k; ++l) {
    const double a = p.op_a == Op::kPlain ? p.a[i * p.lda + l] : p.a[l * p.lda + i];
    const double b = p.op_b == Op::kPlain ? p.b[l * p.ldb + j] : p.b[j * p.ldb + l];
    sum += a * b;
    size += std::abs(a * b);
  }
  return {sum, size};
}

template <class T>
void expect_definition(const Operands<T>& o, const Values<T>& c_before) {
  const Gemm<T>& p = o.product;
  // The error of a sum of k terms in any order is below k u times the sum of their sizes (Higham 2002, 4.2).
  const double unit = static_cast<double>(p.k + 2) * std::numeric_limits<T>::epsilon() / 2;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.ldc; ++j) {
      const T got = o.c[i * p.ldc + j];
      if (j >= p.n) {
        ASSERT_EQ(got, c_before[i * p.ldc + j]) << "padding overwritten at " << i << ", " << j;
        continue;
      }
      const auto [expected, size] = definition(p, c_before, i, j);
      ASSERT_NEAR(got, expected, unit * size) << "element " << i << ", " << j << " of " << p.m << " x " << p.n;
    }
  }
}

template <class T>
class GemmOf : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GemmOf, Types);

// Oracle: the definition in double, with the error bound of a sum in any order.
TYPED_TEST(GemmOf, EveryTranspositionAndBetaEqualsTheDefinition) {
  for (const Sizes size : {Sizes{1, 1, 1}, {3, 5, 2}, {17, 33, 7}, {70, 130, 50}}) {
    for (const Op op_a : {Op::kPlain, Op::kTransposed}) {
      for (const Op op_b : {Op::kPlain, Op::kTransposed}) {
        for (const double beta : {0.0, 1.0, -0.5}) {
          auto o = make<TypeParam>(op_a, op_b, size, static_cast<TypeParam>(beta));
          const auto before = o.c;
          gemm(o.product);
          expect_definition(o, before);
        }
      }
    }
  }
}

// Oracle: the definition; the sizes are cut into blocks that do not divide them.
TYPED_TEST(GemmOf, LargeProductsCutIntoBlocksEqualTheDefinition) {
  for (const Sizes size : {Sizes{331, 403, 130}, {19, 1030, 211}, {700, 21, 301}}) {
    auto o = make<TypeParam>(Op::kTransposed, Op::kPlain, size, TypeParam{1});
    const auto before = o.c;
    gemm(o.product);
    expect_definition(o, before);
  }
}

// Oracle: the definition, on every instruction set. The sizes stand on both sides of every cut and of every case that
// gemm_float() takes by itself: runs of k, chunks of 96 rows and 1024 columns, few rows, few columns.
TEST(GemmFloat, EveryCutEqualsTheDefinition) {
  const Sizes sizes[] = {{1, 70, 40},  {2, 70, 40},   {3, 70, 40},   {16, 33, 700}, {17, 16, 330},   {17, 17, 330},
                         {40, 1, 650}, {97, 40, 321}, {193, 31, 80}, {20, 1030, 7}, {100, 65, 1000}, {16, 1, 3}};
  testing::for_every_target([&] {
    for (const Sizes size : sizes) {
      for (const Op op_a : {Op::kPlain, Op::kTransposed}) {
        for (const Op op_b : {Op::kPlain, Op::kTransposed}) {
          for (const float beta : {0.0f, 1.0f, -0.5f}) {
            auto o = make<float>(op_a, op_b, size, beta);
            const auto before = o.c;
            gemm_on_this_thread(o.product);
            expect_definition(o, before);
          }
        }
      }
    }
  });
}

// Oracle: the element alone, bit for bit, a product of 1 x 1; for every way of storing A and B, few rows and columns
// and many, k in one run and in several.
TEST(GemmFloat, AnElementIsTheSameBitsAmongAnyOthers) {
  testing::for_every_target([] {
    for (const Sizes size : {Sizes{205, 75, 700}, {75, 205, 700}, {9, 300, 400}, {150, 140, 330}, {300, 9, 20}}) {
      for (const Op op_a : {Op::kPlain, Op::kTransposed}) {
        for (const Op op_b : {Op::kPlain, Op::kTransposed}) {
          auto all = make<float>(op_a, op_b, size, 1.0f);
          auto alone = all.product;
          const auto before = all.c;
          gemm_on_this_thread(all.product);
          alone.m = alone.n = 1;
          for (std::int64_t e = 0; e < 12; ++e) {
            const std::int64_t i = e * (size.m - 1) / 11, j = (e * 5 % 12) * (size.n - 1) / 11;
            float c = before[i * all.product.ldc + j];
            alone.a = all.a.data() + (op_a == Op::kPlain ? i * alone.lda : i);
            alone.b = all.b.data() + (op_b == Op::kPlain ? j : j * alone.ldb);
            alone.c = &c;
            gemm_on_this_thread(alone);
            EXPECT_EQ(c, all.c[i * all.product.ldc + j]) << "element " << i << ", " << j << " of " << size.m;
          }
        }
      }
    }
  });
}

// Oracle: the result on one thread, bit for bit.
TYPED_TEST(GemmOf, AnyNumberOfThreadsGivesTheSameBits) {
  auto one = make<TypeParam>(Op::kPlain, Op::kTransposed, {331, 403, 150}, TypeParam{1});
  const auto before = one.c;
  set_threads(1);
  gemm(one.product);
  for (const int count : {2, 4, 8}) {
    set_threads(count);
    auto many = one;
    many.c = before;
    many.product.c = many.c.data();
    gemm(many.product);
    EXPECT_EQ(std::memcmp(one.c.data(), many.c.data(), one.c.size() * sizeof(TypeParam)), 0) << count << " threads";
  }
  set_threads(1);
}

// Oracle: each product alone, bit for bit; sizes of 0 and products of very different size among them.
TYPED_TEST(GemmOf, ABatchGivesEachProductItsOwnBits) {
  const Sizes sizes[] = {{1, 30, 128}, {200, 150, 64}, {3, 5, 0}, {0, 4, 4}, {150, 1, 200}, {64, 200, 90}};
  std::vector<Operands<TypeParam>> alone, batch;
  for (const Sizes size : sizes) {
    for (const Op op_a : {Op::kPlain, Op::kTransposed}) {
      for (const Op op_b : {Op::kPlain, Op::kTransposed})
        alone.push_back(make<TypeParam>(op_a, op_b, size, TypeParam{1}));
    }
  }
  batch = alone;
  for (auto& o : alone) {
    o.product.c = o.c.data();
    gemm_on_this_thread(o.product);
  }
  for (const int count : {1, 3}) {
    set_threads(count);
    auto again = batch;
    std::vector<Gemm<TypeParam>> products;
    for (auto& o : again) {
      o.product.c = o.c.data();
      products.push_back(o.product);
    }
    gemm_batch(std::span<const Gemm<TypeParam>>(products));
    for (std::size_t k = 0; k < again.size(); ++k) {
      EXPECT_TRUE(alone[k].c == again[k].c) << "product " << k << " on " << count << " threads";
    }
  }
  set_threads(1);
  gemm_batch(std::span<const Gemm<TypeParam>>());
}

// Oracle: closed form, an empty sum is 0. C is not even read with beta 0: it starts as NaN.
TYPED_TEST(GemmOf, EmptyProductsScaleCAndBetaZeroDoesNotReadIt) {
  const TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN();
  std::vector<TypeParam> c(6, nan);
  Gemm<TypeParam> product;
  product.m = 2, product.n = 3, product.ldc = 3, product.c = c.data();
  gemm(product);
  EXPECT_EQ(c, std::vector<TypeParam>(6, 0));

  c = {1, 2, 3, 4, 5, 6};
  product.beta = 2;
  gemm(product);
  EXPECT_EQ(c, (std::vector<TypeParam>{2, 4, 6, 8, 10, 12}));

  product.m = 0;
  gemm(product);
  product.m = 2, product.n = 0;
  gemm(product);
  EXPECT_EQ(c[0], 2);

  auto o = make<TypeParam>(Op::kPlain, Op::kPlain, {19, 21, 5}, TypeParam{0});
  const auto before = o.c;
  for (std::int64_t i = 0; i < 19; ++i) {
    for (std::int64_t j = 0; j < 21; ++j) o.c[i * o.product.ldc + j] = nan;
  }
  gemm(o.product);
  expect_definition(o, before);
}

}  // namespace
}  // namespace carousel::kernels
