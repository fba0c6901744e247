#include "kernels/reduce.h"

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
class ReduceOf : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ReduceOf, Types);

// Oracle: the definition in long double. Sizes within a vector, a block, and more blocks than are kept at once.
TYPED_TEST(ReduceOf, SumOfSquaresEqualsTheDefinition) {
  for_every_target([] {
    for (const std::int64_t count : {0, 1, 7, 8, 33, 16384, 16385, 100003}) {
      const auto x = random_values<TypeParam>(count, 1);
      long double expected = 0;
      for (const TypeParam value : x) expected += static_cast<long double>(value) * value;
      EXPECT_NEAR(sum_of_squares(std::span<const TypeParam>(x)), static_cast<double>(expected),
                  1e-13 * (1 + static_cast<double>(expected)))
          << count;
    }
  });
}

// Oracle: closed form; 300 blocks of ones, and a last value beyond them.
TYPED_TEST(ReduceOf, SumOfSquaresOfManyBlocks) {
  Values<TypeParam> x(300 * 16384 + 1, 1);
  x.back() = 3;
  EXPECT_EQ(sum_of_squares(std::span<const TypeParam>(x)), 300.0 * 16384 + 9);
}

// Oracle: one thread, bit for bit.
TYPED_TEST(ReduceOf, AnyNumberOfThreadsGivesTheSameBits) {
  const auto x = random_values<TypeParam>(100003, 1);
  const auto sums = [&](int count) {
    set_threads(count);
    Values<TypeParam> out(301);
    column_sums<TypeParam>(300, 301, x.data(), 305, 0, out.data());
    out.push_back(static_cast<TypeParam>(sum_of_squares(std::span<const TypeParam>(x))));
    return out;
  };
  const auto one = sums(1);
  for (const int count : {2, 4, 8}) EXPECT_EQ(sums(count), one) << count;
  set_threads(1);
}

// Oracle: the definition; scaling is exact to one rounding. Sizes 0 to 2 widest vectors + 1.
TYPED_TEST(ReduceOf, ScaleMultipliesEveryElementAndNoOther) {
  for_every_target([] {
    for (std::size_t count = 0; count <= 33; ++count) {
      const auto before = random_values<TypeParam>(40, 2);
      auto x = before;
      scale(std::span<TypeParam>(x).subspan(1, count), TypeParam(-0.3));
      for (std::size_t i = 0; i < x.size(); ++i) {
        ASSERT_EQ(x[i], i >= 1 && i <= count ? before[i] * TypeParam(-0.3) : before[i]) << i << " of " << count;
      }
    }
  });
}

// Oracle: closed form; each kind of bad value at every place of a small array and around a block's end.
TYPED_TEST(ReduceOf, TheFirstNonFiniteValueIsFound) {
  using Limits = std::numeric_limits<TypeParam>;
  for_every_target([] {
    Values<TypeParam> x(16384 * 2 + 5, Limits::max());
    EXPECT_EQ(first_non_finite(std::span<const TypeParam>(x)), -1);
    for (const TypeParam bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
      for (const std::int64_t at : {0, 1, 2, 3, 7, 15, 16383, 16384, 32772}) {
        x[at] = bad;
        EXPECT_EQ(first_non_finite(std::span<const TypeParam>(x)), at);
        EXPECT_TRUE(has_non_finite(std::span<const TypeParam>(x)));
        x[at] = 1;
      }
    }
    x[100] = Limits::infinity();
    x[20000] = Limits::quiet_NaN();
    EXPECT_EQ(first_non_finite(std::span<const TypeParam>(x)), 100);
  });
}

// Oracle: the definition in long double. Every width up to two blocks of four vectors, rows around 64.
TYPED_TEST(ReduceOf, ColumnSumsEqualTheDefinition) {
  for_every_target([] {
    for (const std::int64_t rows : {0, 1, 3, 64, 65, 200}) {
      for (const std::int64_t n : {1, 2, 7, 8, 17, 31, 63, 64, 65, 131}) {
        const std::int64_t ldx = n + 3;
        const auto x = random_values<TypeParam>(rows * ldx, 3), before = random_values<TypeParam>(n + 1, 4);
        for (const TypeParam beta : {TypeParam{0}, TypeParam{1}}) {
          auto out = before;
          column_sums(rows, n, x.data(), ldx, beta, out.data());
          for (std::int64_t j = 0; j < n; ++j) {
            long double sum = beta * before[j];
            for (std::int64_t i = 0; i < rows; ++i) sum += x[i * ldx + j];
            ASSERT_NEAR(out[j], static_cast<double>(sum), 70 * std::numeric_limits<TypeParam>::epsilon())
                << rows << " x " << n << " at " << j;
          }
          ASSERT_EQ(out[n], before[n]);
        }
      }
    }
  });
}

}  // namespace
}  // namespace carousel::kernels
