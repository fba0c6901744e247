#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "carousel/optim.h"
#include "tests/support/expect_error.h"
#include "train/gradient.h"

namespace carousel {
namespace {

struct TwoParameters {
  Parameter a{"a", Tensor({2})}, b{"b", Tensor({1, 2})};
  std::vector<Parameter*> all{&a, &b};
  explicit TwoParameters(const std::vector<float>& g) {
    for (Parameter* parameter : all) parameter->make_gradient();
    for (std::int64_t i = 0; i < 2; ++i) {
      a.gradient[i] = g[static_cast<std::size_t>(i)];
      b.gradient[i] = g[static_cast<std::size_t>(i + 2)];
    }
  }
  std::vector<float> gradients() const { return {a.gradient[0], a.gradient[1], b.gradient[0], b.gradient[1]}; }
};

// Oracle: closed form. The norm of (1, -2, 4, 2) is 5; clipped to 0.5 it is multiplied by 0.5 / 5.000001.
TEST(Clipping, ScalesAllGradientsTogether) {
  TwoParameters p({1, -2, 4, 2});
  EXPECT_DOUBLE_EQ(clip_grad_norm(p.all, 0.5), 5);
  const auto factor = static_cast<float>(0.5 / 5.000001);
  EXPECT_EQ(p.gradients(), (std::vector<float>{factor, -2 * factor, 4 * factor, 2 * factor}));
  EXPECT_NEAR(gradient_norm(p.all), 0.5, 1e-6);
}

// Oracle: the contract. A norm below the bound changes nothing.
TEST(Clipping, LeavesSmallGradientsAlone) {
  TwoParameters p({1, -2, 4, 2});
  EXPECT_DOUBLE_EQ(clip_grad_norm(p.all, 5.1), 5);
  EXPECT_EQ(p.gradients(), (std::vector<float>{1, -2, 4, 2}));
}

// Oracle: closed form.
TEST(Clipping, ByValueClampsEveryElement) {
  TwoParameters p({1, -2, 4, -0.5f});
  EXPECT_TRUE(clip_grad_value(p.all, 1.5));
  EXPECT_EQ(p.gradients(), (std::vector<float>{1, -1.5f, 1.5f, -0.5f}));
  EXPECT_FALSE(clip_grad_value(p.all, 1.5));
}

// Oracle: the contract. NaN and infinity stay where they are, so that they can be found and named.
TEST(Clipping, DoesNotHideNan) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    TwoParameters p({1, -2, bad, 2});
    EXPECT_FALSE(std::isfinite(clip_grad_norm(p.all, 0.5)));
    EXPECT_EQ(p.a.gradient[1], -2);
    const auto found = find_non_finite_gradient(p.all);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->parameter, &p.b);
    EXPECT_EQ(found->element, 0);
  }
  TwoParameters p({1, -2, std::nanf(""), 2});
  EXPECT_TRUE(clip_grad_value(p.all, 0.5));
  EXPECT_TRUE(std::isnan(p.b.gradient[0]));
  EXPECT_FALSE(find_non_finite_gradient(TwoParameters({1, 2, 3, 4}).all));
}

// Oracle: closed form. The squares of gradients near the largest float do not overflow.
TEST(Clipping, NormIsTakenInDouble) {
  TwoParameters p({3e38f, 0, 0, 3e38f});
  EXPECT_NEAR(gradient_norm(p.all) / (static_cast<double>(3e38f) * std::sqrt(2.0)), 1, 1e-12);
}

// Oracle: the contract in optim.h.
TEST(Clipping, RefusesABoundThatIsNotPositive) {
  TwoParameters p({1, 2, 3, 4});
  expect_error(Code::kUsage, {"max_norm is 0"}, [&] { clip_grad_norm(p.all, 0); });
  expect_error(Code::kUsage, {"max_value is -1"}, [&] { clip_grad_value(p.all, -1); });
}

}  // namespace
}  // namespace carousel
