#include "kernels/pointwise.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/random.h"
#include "kernels/scalar_math.h"
#include "tests/kernels/float_error.h"
#include "tests/kernels/targets.h"

namespace carousel::kernels {
namespace {

using testing::float_error;
using testing::for_every_target;
using Scalar = ScalarMath<double>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kSmallestNormal = std::numeric_limits<float>::min();

struct Function {
  const char* name;
  void (*fast)(std::span<const float>, std::span<float>) noexcept;
  double (*exact)(double);
};
const Function kFunctions[] = {{"exp", exp, Scalar::exp},
                               {"log", log, Scalar::log},
                               {"tanh", tanh, Scalar::tanh},
                               {"sigmoid", sigmoid, Scalar::sigmoid}};

float apply(const Function& function, float x) {
  float y = 0;
  function.fast({&x, 1}, {&y, 1});
  return y;
}

// Every sign and exponent (denormal, infinite and NaN too) with 4096 random mantissas, 2.1 million floats, and a
// million more from -90 to 90: the reduction by multiples of ln 2 has its weak places there.
std::vector<float> sample() {
  std::vector<float> values;
  for (std::uint32_t head = 0; head < 512; ++head) {
    for (std::uint64_t i = 0; i < 1024; ++i) {
      for (const std::uint32_t bits : philox({.seed = 7, .step = head}, i)) {
        values.push_back(std::bit_cast<float>(head << 23 | bits >> 9));
      }
    }
  }
  std::vector<float> middle(1 << 20);
  fill_uniform({.seed = 8}, -90.0f, 90.0f, std::span<float>(middle));
  values.insert(values.end(), middle.begin(), middle.end());
  return values;
}

// Oracle: the same function in double. A value below the smallest normal float may be 0.
TEST(Pointwise, FloatFunctionsAreWithinTwoUlpOfDouble) {
  const auto in = sample();
  std::vector<float> out(in.size());
  for_every_target([&] {
    for (const Function& function : kFunctions) {
      function.fast(in, out);
      double worst = 0;
      float where = 0;
      for (std::size_t i = 0; i < in.size(); ++i) {
        const double expected = function.exact(in[i]);
        if (out[i] == 0 && std::abs(expected) < kSmallestNormal) continue;
        const double error = float_error(out[i], expected);
        if (error > worst) worst = error, where = in[i];
      }
      EXPECT_LE(worst, 2.0) << function.name << " at " << where;
    }
  });
}

// Oracle: closed form.
TEST(Pointwise, LimitsAndSpecialValuesAreExact) {
  for_every_target([] {
    const auto [e, l, t, s] = kFunctions;
    EXPECT_EQ(apply(e, kInfinity), kInfinity);
    EXPECT_EQ(apply(e, -kInfinity), 0.0f);
    EXPECT_EQ(apply(e, 0.0f), 1.0f);
    EXPECT_EQ(apply(l, kInfinity), kInfinity);
    EXPECT_EQ(apply(l, 0.0f), -kInfinity);
    EXPECT_EQ(apply(l, 1.0f), 0.0f);
    EXPECT_TRUE(std::isnan(apply(l, -1.0f)));
    EXPECT_EQ(apply(t, kInfinity), 1.0f);
    EXPECT_EQ(apply(t, -kInfinity), -1.0f);
    EXPECT_EQ(apply(t, 0.0f), 0.0f);
    EXPECT_TRUE(std::signbit(apply(t, -0.0f)));
    EXPECT_EQ(apply(s, kInfinity), 1.0f);
    EXPECT_EQ(apply(s, -kInfinity), 0.0f);
    EXPECT_EQ(apply(s, 0.0f), 0.5f);
    for (const Function& function : kFunctions) {
      EXPECT_TRUE(std::isnan(apply(function, std::numeric_limits<float>::quiet_NaN()))) << function.name;
      EXPECT_TRUE(std::isnan(apply(function, -std::numeric_limits<float>::quiet_NaN()))) << function.name;
    }
  });
}

// Oracle: the definition; relu is exact.
TEST(Pointwise, ReluKeepsPositiveNumbersAndNaN) {
  for_every_target([] {
    const std::vector<float> in{-kInfinity, -2, -1e-45f, 0, 1e-45f, 3, kInfinity, std::nanf("")};
    std::vector<float> out(in.size());
    relu(in, out);
    for (std::size_t i = 0; i + 1 < in.size(); ++i) EXPECT_EQ(out[i], in[i] > 0 ? in[i] : 0.0f);
    EXPECT_TRUE(std::isnan(out.back()));
  });
}

// Oracle: the definition in double, where 1 + tanh(u) = 2 / (1 + exp(-2 u)). The rounding of 2 u counts |2 u| times; a
// gate below the smallest normal float is 0.
TEST(Pointwise, GeluIsWithinItsRoundingOfDouble) {
  std::vector<float> in(1 << 16), out(in.size()), slope(in.size());
  fill_uniform({.seed = 11}, -12.0f, 12.0f, std::span<float>(in));
  for_every_target([&] {
    gelu(std::span<const float>(in), std::span<float>(out));
    gelu_derivative(std::span<const float>(in), std::span<float>(slope));
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double x = in[i], c = 2 * std::sqrt(2 / M_PI), u = c * (x + 0.044715 * x * x * x);
      const double gate = 1 / (1 + std::exp(-u)), inner = c * (1 + 3 * 0.044715 * x * x);
      const double unit = std::numeric_limits<float>::epsilon() * (4 + 4 * std::abs(u));
      const double error = unit * gate + kSmallestNormal;  // of the gate
      ASSERT_NEAR(out[i], x * gate, error * (1 + std::abs(x))) << x;
      ASSERT_NEAR(slope[i], gate + x * gate * (1 - gate) * inner, error * (1 + std::abs(x * inner))) << x;
    }
    EXPECT_EQ(apply({"gelu", gelu, nullptr}, 1e30f), 1e30f);
    EXPECT_EQ(apply({"gelu", gelu, nullptr}, -1e30f), 0.0f);
  });
}

// Oracle: the same element alone. Sizes 0 to 2 widest vectors + 1, every misalignment, also in place.
TEST(Pointwise, AnElementDoesNotDependOnItsPlace) {
  std::vector<float> values(64);
  fill_uniform({.seed = 5}, -9.0f, 9.0f, std::span<float>(values));
  for_every_target([&] {
    for (const Function& function : {kFunctions[0], kFunctions[2], kFunctions[3], Function{"relu", relu, nullptr},
                                     Function{"gelu", gelu, nullptr}}) {
      for (std::size_t size = 0; size <= 33; ++size) {
        for (std::size_t shift = 0; shift < 16; ++shift) {
          std::vector<float> out(80, -7.0f);
          const auto in = std::span<const float>(values).subspan(shift, size);
          function.fast(in, std::span<float>(out).subspan(16 - shift, size));
          std::vector<float> in_place(in.begin(), in.end());
          function.fast(in_place, in_place);
          for (std::size_t i = 0; i < size; ++i) {
            ASSERT_EQ(out[16 - shift + i], apply(function, in[i])) << function.name << " size " << size << " at " << i;
            ASSERT_EQ(in_place[i], out[16 - shift + i]);
          }
          ASSERT_EQ(out[16 - shift + size], -7.0f) << "written past the end";
          ASSERT_EQ(out[15 - shift], -7.0f) << "written before the start";
        }
      }
    }
  });
}

// Oracle: std:: of the same element.
TEST(Pointwise, DoubleIsTheStandardLibrary) {
  const std::vector<double> in{-800, -3, -0.25, 0, 1e-9, 0.5, 2, 700};
  std::vector<double> out(in.size());
  exp(in, out);
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i], std::exp(in[i]));
  tanh(in, out);
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i], std::tanh(in[i]));
  sigmoid(in, out);
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i], 1 / (1 + std::exp(-in[i])));
  relu(in, out);
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i], std::max(in[i], 0.0));
}

}  // namespace
}  // namespace carousel::kernels
