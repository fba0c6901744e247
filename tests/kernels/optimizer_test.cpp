#include "kernels/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "base/thread_pool.h"
#include "tests/kernels/random_values.h"
#include "tests/kernels/targets.h"

namespace carousel::kernels {
namespace {

using testing::for_every_target;
using testing::random_values;
using testing::Values;

// One weight as the definition sees it, in double.
struct Scalar {
  double w, m = 0, v = 0;
};
using Definition = std::function<void(Scalar&, double gradient, int t)>;
using Step = std::function<void(const Weights&, int t, float* m, float* v)>;

constexpr float kScale = 0.5f, kDecay = 0.01f;

// Runs five steps of both over every count up to two widest vectors + 1 and compares the weights.
void expect_definition(const Step& step, const Definition& definition) {
  for_every_target([&] {
    for (std::int64_t count = 0; count <= 33; ++count) {
      auto w = random_values<float>(count + 1, 1);
      Values<float> m(count + 1), v(count + 1);
      std::vector<Scalar> expected;
      for (const float value : w) expected.push_back({value});
      for (int t = 1; t <= 5; ++t) {
        const auto given = random_values<float>(count + 1, 1 + t);
        auto gradient = given;
        step({count, w.data(), gradient.data(), kScale, kDecay}, t, m.data(), v.data());
        for (std::int64_t i = 0; i < count; ++i) {
          definition(expected[i], kScale * static_cast<double>(given[i]), t);
          ASSERT_EQ(gradient[i], 0);
        }
        ASSERT_EQ(gradient[count], given[count]);
      }
      for (std::int64_t i = 0; i <= count; ++i) {
        ASSERT_NEAR(w[i], expected[i].w, 2e-6 * (1 + std::abs(expected[i].w))) << "weight " << i << " of " << count;
      }
    }
  });
}

// Oracle of all: the equations of torch.optim in double. The element after the last must stay.
TEST(OptimizerStep, SgdFollowsItsEquation) {
  expect_definition([](const Weights& w, int, float*, float* v) { sgd_step(w, 0.1f, 0, false, v); },
                    [](Scalar& s, double g, int) { s.w -= 0.1 * (g + kDecay * s.w); });
}

TEST(OptimizerStep, SgdWithMomentumFollowsItsEquation) {
  for (const bool nesterov : {false, true}) {
    expect_definition([=](const Weights& w, int, float*, float* v) { sgd_step(w, 0.1f, 0.9f, nesterov, v); },
                      [=](Scalar& s, double g, int) {
                        g += kDecay * s.w;
                        s.v = 0.9 * s.v + g;
                        s.w -= 0.1 * (nesterov ? g + 0.9 * s.v : s.v);
                      });
  }
}

void adam(Scalar& s, double g, int t) {
  s.m = 0.9 * s.m + 0.1 * g;
  s.v = 0.99 * s.v + 0.01 * g * g;
  s.w -= 0.05 * (s.m / (1 - std::pow(0.9, t))) / (std::sqrt(s.v / (1 - std::pow(0.99, t))) + 1e-3);
}
constexpr AdamRates kAdam{.lr = 0.05, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-3};

TEST(OptimizerStep, AdamFollowsItsEquation) {
  expect_definition([](const Weights& w, int t, float* m, float* v) { adam_step(w, kAdam, t, m, v); },
                    [](Scalar& s, double g, int t) { adam(s, g + kDecay * s.w, t); });
}

TEST(OptimizerStep, AdamwShrinksTheWeightsFirst) {
  expect_definition([](const Weights& w, int t, float* m, float* v) { adamw_step(w, kAdam, t, m, v); },
                    [](Scalar& s, double g, int t) {
                      s.w *= 1 - 0.05 * kDecay;
                      adam(s, g, t);
                    });
}

TEST(OptimizerStep, RmspropFollowsItsEquation) {
  for (const float momentum : {0.0f, 0.8f}) {
    const RmspropRates rates{.lr = 0.02f, .alpha = 0.9f, .epsilon = 1e-2f, .momentum = momentum};
    expect_definition([=](const Weights& w, int, float* b, float* v) { rmsprop_step(w, rates, v, b); },
                      [=](Scalar& s, double g, int) {
                        g += kDecay * s.w;
                        s.v = 0.9 * s.v + 0.1 * g * g;
                        s.m = momentum * s.m + g / (std::sqrt(s.v) + 1e-2);
                        s.w -= 0.02 * s.m;
                      });
  }
}

TEST(OptimizerStep, AdagradFollowsItsEquation) {
  expect_definition([](const Weights& w, int, float*, float* v) { adagrad_step(w, 0.1f, 1e-3f, v); },
                    [](Scalar& s, double g, int) {
                      g += kDecay * s.w;
                      s.v += g * g;
                      s.w -= 0.1 * g / (std::sqrt(s.v) + 1e-3);
                    });
}

// Oracle: one thread, bit for bit.
TEST(OptimizerStep, AnyNumberOfThreadsGivesTheSameBits) {
  const std::int64_t count = 50001;
  const auto start = random_values<float>(count, 1), given = random_values<float>(count, 2);
  const auto run = [&](int threads) {
    set_threads(threads);
    auto w = start;
    Values<float> m(count), v(count);
    for (int t = 1; t <= 2; ++t) {
      auto gradient = given;
      adam_step({count, w.data(), gradient.data()}, kAdam, t, m.data(), v.data());
    }
    return w;
  };
  const auto one = run(1);
  for (const int threads : {2, 4, 8}) EXPECT_EQ(run(threads), one) << threads;
  set_threads(1);
}

}  // namespace
}  // namespace carousel::kernels
