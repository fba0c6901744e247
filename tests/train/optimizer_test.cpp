// Every optimiser against its recurrence, written out below in double from PyTorch's documentation of torch.optim.
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/random.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

constexpr int kSteps = 7;
constexpr std::int64_t kCount = 37;  // no multiple of any vector width

// One element: weight, gradient and what the rule remembers, all in double. t counts from 1.
struct Element {
  double w, a = 0, b = 0;
};
using Rule = std::function<void(Element&, double g, int t)>;

float gradient_at(int t, std::int64_t i) {
  return 4 * uniform({21, Purpose::kTest, static_cast<std::uint64_t>(t)}, static_cast<std::uint64_t>(i)) - 2;
}

// Runs the optimiser and the rule side by side on the same random gradients.
void expect_follows(const std::function<std::unique_ptr<Optimizer>(std::vector<Parameter*>)>& make, const Rule& rule,
                    double initial = 0) {
  Tensor start({kCount});
  fill_normal({22, Purpose::kTest, 0}, 0.0f, 1.0f, start.span());
  Parameter first("first", start), second("second", Tensor({1}, std::vector<float>{0.5f}));
  auto optimizer = make({&first, &second});
  std::vector<Element> elements;
  for (const float w : start.span()) elements.push_back({w, initial, 0});
  for (int t = 1; t <= kSteps; ++t) {
    for (std::int64_t i = 0; i < kCount; ++i) {
      first.gradient[i] = gradient_at(t, i);
      rule(elements[static_cast<std::size_t>(i)], first.gradient[i], t);
    }
    second.gradient[0] = first.gradient[0];
    optimizer->step();
    std::vector<double> expected;
    for (const Element& element : elements) expected.push_back(element.w);
    expect_near(first.value.span(), std::span<const double>(expected), 2e-6, "w after step " + std::to_string(t));
    for (const float g : first.gradient.span()) ASSERT_EQ(g, 0);
    ASSERT_EQ(second.gradient[0], 0);
  }
  EXPECT_EQ(optimizer->steps(), kSteps);
  EXPECT_NE(second.value[0], 0.5f);
}

template <class Class, class Options>
auto maker(const Options& options) {
  return
      [options](std::vector<Parameter*> parameters) { return std::make_unique<Class>(std::move(parameters), options); };
}

// Oracle: the recurrence in double.
TEST(Sgd, FollowsItsRecurrence) {
  expect_follows(maker<Sgd>(SgdOptions{.lr = 0.1}), [](Element& e, double g, int) { e.w -= 0.1 * g; });
  expect_follows(maker<Sgd>(SgdOptions{.lr = 0.1, .momentum = 0.8, .weight_decay = 0.05}),
                 [](Element& e, double g, int t) {
                   g += 0.05 * e.w;
                   e.a = t == 1 ? g : 0.8 * e.a + g;
                   e.w -= 0.1 * e.a;
                 });
}

Rule adam_rule(double lr, double beta1, double beta2, double epsilon, double decay, bool decoupled) {
  return [=](Element& e, double g, int t) {
    if (decoupled) {
      e.w -= lr * decay * e.w;
    } else {
      g += decay * e.w;
    }
    e.a = beta1 * e.a + (1 - beta1) * g;
    e.b = beta2 * e.b + (1 - beta2) * g * g;
    const double m = e.a / (1 - std::pow(beta1, t)), v = e.b / (1 - std::pow(beta2, t));
    e.w -= lr * m / (std::sqrt(v) + epsilon);
  };
}

// Oracle: the recurrence in double; the first case leaves every default as it is.
TEST(Adam, FollowsItsRecurrence) {
  expect_follows(maker<Adam>(AdamOptions{}), adam_rule(1e-3, 0.9, 0.999, 1e-8, 0, false));
  expect_follows(maker<Adam>(AdamOptions{0.05, 0.7, 0.95, 1e-3, 0.1}), adam_rule(0.05, 0.7, 0.95, 1e-3, 0.1, false));
}

// Oracle: the recurrence in double; the first case leaves every default as it is.
TEST(AdamW, FollowsItsRecurrence) {
  expect_follows(maker<AdamW>(AdamWOptions{}), adam_rule(1e-3, 0.9, 0.999, 1e-8, 1e-2, true));
  expect_follows(maker<AdamW>(AdamWOptions{0.05, 0.7, 0.95, 1e-3, 0.3}), adam_rule(0.05, 0.7, 0.95, 1e-3, 0.3, true));
}

// Oracle: the recurrence in double; the first case leaves every default as it is.
TEST(Rmsprop, FollowsItsRecurrence) {
  const auto rule = [](double lr, double alpha, double epsilon, double decay, double momentum) {
    return [=](Element& e, double g, int) {
      g += decay * e.w;
      e.a = alpha * e.a + (1 - alpha) * g * g;
      e.b = momentum * e.b + g / (std::sqrt(e.a) + epsilon);
      e.w -= lr * e.b;
    };
  };
  expect_follows(maker<Rmsprop>(RmspropOptions{}), rule(1e-2, 0.99, 1e-8, 0, 0));
  expect_follows(maker<Rmsprop>(RmspropOptions{0.02, 0.9, 1e-2, 0.1, 0.6}), rule(0.02, 0.9, 1e-2, 0.1, 0.6));
}

// Oracle: the recurrence in double; the first case leaves every default as it is.
TEST(Adagrad, FollowsItsRecurrence) {
  const auto rule = [](double lr, double lr_decay, double decay, double epsilon) {
    return [=](Element& e, double g, int t) {
      g += decay * e.w;
      e.a += g * g;
      e.w -= lr / (1 + (t - 1) * lr_decay) * g / (std::sqrt(e.a) + epsilon);
    };
  };
  expect_follows(maker<Adagrad>(AdagradOptions{}), rule(1e-2, 0, 0, 1e-10));
  expect_follows(maker<Adagrad>(AdagradOptions{0.1, 0.2, 0.05, 0.3, 1e-3}), rule(0.1, 0.2, 0.05, 1e-3), 0.3);
}

// Oracle: worked by hand, w = 1, g = 2, lr = 0.5. The first step of Adam is lr sign(g), of RMSprop lr / sqrt(1 -
// alpha).
TEST(Optimizer, FirstStepMatchesNumbersWorkedByHand) {
  const auto first_step = [](auto make) {
    Parameter w("w", Tensor({1}, std::vector<float>{1}));
    auto optimizer = make({&w});
    w.gradient[0] = 2;
    optimizer->step();
    return w.value[0];
  };
  EXPECT_FLOAT_EQ(first_step(maker<Sgd>(SgdOptions{.lr = 0.5})), 0);
  EXPECT_FLOAT_EQ(first_step(maker<Adam>(AdamOptions{.lr = 0.5})), 0.5f);
  EXPECT_FLOAT_EQ(first_step(maker<AdamW>(AdamWOptions{.lr = 0.5, .weight_decay = 0.5})), 0.25f);
  EXPECT_FLOAT_EQ(first_step(maker<Rmsprop>(RmspropOptions{.lr = 0.5, .alpha = 0.75})), 0);
  EXPECT_FLOAT_EQ(first_step(maker<Adagrad>(AdagradOptions{.lr = 0.25})), 0.75f);
}

// Oracle: the classes themselves, with the same options.
TEST(MakeOptimizer, PassesEveryOptionOn) {
  const auto last_weight = [](auto make) {
    Parameter w("w", Tensor({2}, std::vector<float>{1, -3}));
    auto optimizer = make({&w});
    for (int t = 1; t <= 3; ++t) {
      w.gradient[0] = gradient_at(t, 0);
      w.gradient[1] = gradient_at(t, 1);
      optimizer->step();
    }
    return w.value[1];
  };
  const auto by_name = [&](std::string_view name) {
    const OptimizerOptions options{parse_optimizer(name), 0.03, 0.6, 0.2};
    return last_weight([&](std::vector<Parameter*> parameters) { return make_optimizer(parameters, options); });
  };
  EXPECT_EQ(by_name("sgd"), last_weight(maker<Sgd>(SgdOptions{0.03, 0.6, 0.2})));
  EXPECT_EQ(by_name("adam"), last_weight(maker<Adam>(AdamOptions{.lr = 0.03, .weight_decay = 0.2})));
  EXPECT_EQ(by_name("adamw"), last_weight(maker<AdamW>(AdamWOptions{.lr = 0.03, .weight_decay = 0.2})));
  EXPECT_EQ(by_name("rmsprop"),
            last_weight(maker<Rmsprop>(RmspropOptions{.lr = 0.03, .weight_decay = 0.2, .momentum = 0.6})));
  EXPECT_EQ(by_name("adagrad"), last_weight(maker<Adagrad>(AdagradOptions{.lr = 0.03, .weight_decay = 0.2})));
  expect_error(Code::kUsage, {"'lion'", "sgd, adam, adamw, rmsprop or adagrad"}, [] { parse_optimizer("lion"); });
}

// Oracle: the same run without a break, bit for bit.
TEST(Optimizer, GoesOnFromASavedState) {
  const auto run = [](std::string_view name, bool with_break) {
    Parameter w("w", Tensor({3}, std::vector<float>{1, -3, 2})), b("b", Tensor({1}, std::vector<float>{4}));
    const OptimizerOptions options{parse_optimizer(name), 0.03, 0.6, 0.2};
    auto optimizer = make_optimizer({&w, &b}, options);
    for (int t = 1; t <= 6; ++t) {
      if (with_break && t == 4) {
        const OptimizerState state = optimizer->state();
        optimizer = make_optimizer({&w, &b}, options);
        optimizer->load_state(state);
      }
      for (std::int64_t i = 0; i < 3; ++i) w.gradient[i] = gradient_at(t, i);
      b.gradient[0] = gradient_at(t, 3);
      optimizer->step();
    }
    return std::vector<float>{w.value[0], w.value[1], w.value[2], b.value[0]};
  };
  for (const std::string_view name : {"sgd", "adam", "adamw", "rmsprop", "adagrad"}) {
    EXPECT_EQ(run(name, true), run(name, false)) << name;
  }
}

// Oracle: the contract. The names are PyTorch's, and a state that does not fit is refused whole.
TEST(Optimizer, StateNamesItsTensors) {
  Parameter w("lstm.weight_hh_l0", Tensor({2, 3})), other("other", Tensor({2, 3}));
  Adam adam({&w});
  adam.step();
  const OptimizerState state = adam.state();
  EXPECT_EQ(state.steps, 1);
  ASSERT_EQ(adam.slots().size(), 2u);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(adam.slots()[k].first, state.tensors[k].first);
    EXPECT_EQ((*adam.slots()[k].second)[0], state.tensors[k].second[0]);
  }
  expect_error(Code::kUsage, {"-1 steps"}, [&] { adam.set_steps(-1); });
  ASSERT_EQ(state.tensors.size(), 2u);
  EXPECT_EQ(state.tensors[0].first, "lstm.weight_hh_l0.exp_avg");
  EXPECT_EQ(state.tensors[1].first, "lstm.weight_hh_l0.exp_avg_sq");
  EXPECT_EQ(state.tensors[1].second.shape(), (Shape{2, 3}));
  Adam wrong({&other});
  expect_error(Code::kUsage, {"'lstm.weight_hh_l0.exp_avg'", "'other.exp_avg' [2, 3]"},
               [&] { wrong.load_state(state); });
  Adagrad fewer({&w});
  expect_error(Code::kUsage, {"2 tensors", "expected 1"}, [&] { fewer.load_state(state); });
}

// Oracle: the contract in optim.h.
TEST(Optimizer, RefusesOptionsOutOfRange) {
  Parameter w("w", Tensor({2}));
  const std::vector<Parameter*> parameters{&w};
  expect_error(Code::kUsage, {"learning rate is -1"}, [&] { Sgd(parameters, {.lr = -1}); });
  expect_error(Code::kUsage, {"learning rate is nan"}, [&] { Adam(parameters, {.lr = std::nan("")}); });
  expect_error(Code::kUsage, {"beta1 is 1"}, [&] { Adam(parameters, {.beta1 = 1}); });
  expect_error(Code::kUsage, {"beta2 is 1.5"}, [&] { AdamW(parameters, {.beta2 = 1.5}); });
  expect_error(Code::kUsage, {"alpha is -0.1"}, [&] { Rmsprop(parameters, {.alpha = -0.1}); });
  expect_error(Code::kUsage, {"lr_decay is -1"}, [&] { Adagrad(parameters, {.lr_decay = -1}); });
}

}  // namespace
}  // namespace carousel
