#include "kernels/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/optimizer.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/vectors-inl.h"

#ifndef CAROUSEL_KERNELS_OPTIMIZER_ONCE
#define CAROUSEL_KERNELS_OPTIMIZER_ONCE
namespace carousel::kernels {

// Adam's constants for one step, rounded once: w = keep w - step m / (sqrt(v) root + epsilon).
struct AdamStep {
  float beta1, rest1, beta2, rest2, step, root, epsilon, keep;
};

}  // namespace carousel::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Calls f(lanes, i, g, w) for every vector; g is the scaled gradient with weight decay. The gradient is zero
// afterwards.
template <class F>
HWY_INLINE void for_gradient(const Weights& weights, const F& f) {
  const D d;
  const V scale = hn::Set(d, weights.gradient_scale), decay = hn::Set(d, weights.weight_decay);
  for_each_vector(d, weights.count, [&](auto lanes, std::int64_t i) HWY_ATTR {
    const V w = lanes.load(weights.w + i);
    const V g = hn::MulAdd(decay, w, scale * lanes.load(weights.gradient + i));
    lanes.store(hn::Zero(d), weights.gradient + i);
    f(lanes, i, g, w);
  });
}

void sgd(const Weights& weights, float lr_value, float momentum_value, bool nesterov, float* velocity) {
  const D d;
  const V lr = hn::Set(d, lr_value), momentum = hn::Set(d, momentum_value);
  for_gradient(weights, [&](auto lanes, std::int64_t i, V g, V w) HWY_ATTR {
    V direction = g;
    if (velocity) {
      const V v = hn::MulAdd(momentum, lanes.load(velocity + i), g);
      lanes.store(v, velocity + i);
      direction = nesterov ? hn::MulAdd(momentum, v, g) : v;
    }
    lanes.store(hn::NegMulAdd(lr, direction, w), weights.w + i);
  });
}

void adam(const Weights& weights, const AdamStep& s, float* first, float* second) {
  const D d;
  const V beta1 = hn::Set(d, s.beta1), rest1 = hn::Set(d, s.rest1), beta2 = hn::Set(d, s.beta2);
  const V rest2 = hn::Set(d, s.rest2), step = hn::Set(d, s.step), root = hn::Set(d, s.root);
  const V epsilon = hn::Set(d, s.epsilon), keep = hn::Set(d, s.keep);
  for_gradient(weights, [&](auto lanes, std::int64_t i, V g, V w) HWY_ATTR {
    const V m = hn::MulAdd(beta1, lanes.load(first + i), rest1 * g);
    const V v = hn::MulAdd(beta2, lanes.load(second + i), rest2 * (g * g));
    lanes.store(m, first + i);
    lanes.store(v, second + i);
    const V change = hn::Div(step * m, hn::MulAdd(hn::Sqrt(v), root, epsilon));
    lanes.store(hn::MulSub(keep, w, change), weights.w + i);
  });
}

void rmsprop(const Weights& weights, const RmspropRates& rates, float* squares, float* buffer) {
  const D d;
  const V lr = hn::Set(d, rates.lr), alpha = hn::Set(d, rates.alpha), rest = hn::Set(d, 1 - rates.alpha);
  const V epsilon = hn::Set(d, rates.epsilon), momentum = hn::Set(d, rates.momentum);
  for_gradient(weights, [&](auto lanes, std::int64_t i, V g, V w) HWY_ATTR {
    const V v = hn::MulAdd(alpha, lanes.load(squares + i), rest * (g * g));
    lanes.store(v, squares + i);
    V change = hn::Div(g, hn::Sqrt(v) + epsilon);
    if (buffer) {
      change = hn::MulAdd(momentum, lanes.load(buffer + i), change);
      lanes.store(change, buffer + i);
    }
    lanes.store(hn::NegMulAdd(lr, change, w), weights.w + i);
  });
}

void adagrad(const Weights& weights, float lr_value, float epsilon_value, float* squares) {
  const D d;
  const V lr = hn::Set(d, lr_value), epsilon = hn::Set(d, epsilon_value);
  for_gradient(weights, [&](auto lanes, std::int64_t i, V g, V w) HWY_ATTR {
    const V s = hn::MulAdd(g, g, lanes.load(squares + i));
    lanes.store(s, squares + i);
    lanes.store(hn::NegMulAdd(lr, hn::Div(g, hn::Sqrt(s) + epsilon), w), weights.w + i);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel::kernels {
namespace {

HWY_EXPORT(sgd);
HWY_EXPORT(adam);
HWY_EXPORT(rmsprop);
HWY_EXPORT(adagrad);

constexpr std::int64_t kBlock = 16384;  // elements of one task

// Calls f(part, first) for every block of the weights, on the thread pool.
template <class F>
void for_blocks(const Weights& weights, const F& f) {
  parallel_for((weights.count + kBlock - 1) / kBlock, [&](std::int64_t index) {
    const std::int64_t first = index * kBlock;
    Weights part = weights;
    part.count = std::min(kBlock, weights.count - first);
    part.w += first;
    part.gradient += first;
    f(part, first);
  });
}

AdamStep constants(const AdamRates& rates, std::int64_t t, double keep) {
  const double first = 1 - std::pow(rates.beta1, t), second = 1 - std::pow(rates.beta2, t);
  const auto f = [](double value) { return static_cast<float>(value); };
  return {f(rates.beta1),      f(1 - rates.beta1),       f(rates.beta2),   f(1 - rates.beta2),
          f(rates.lr / first), f(1 / std::sqrt(second)), f(rates.epsilon), f(keep)};
}

void run_adam(const Weights& weights, const AdamStep& step, float* m, float* v) {
  for_blocks(weights, [&](const Weights& part, std::int64_t first) {
    HWY_DYNAMIC_DISPATCH(adam)(part, step, m + first, v + first);
  });
}

}  // namespace

void sgd_step(const Weights& weights, float lr, float momentum, bool nesterov, float* v) {
  float* velocity = momentum == 0 ? nullptr : v;
  for_blocks(weights, [&](const Weights& part, std::int64_t first) {
    HWY_DYNAMIC_DISPATCH(sgd)(part, lr, momentum, nesterov, velocity ? velocity + first : nullptr);
  });
}

void adam_step(const Weights& weights, const AdamRates& rates, std::int64_t t, float* m, float* v) {
  run_adam(weights, constants(rates, t, 1), m, v);
}

void adamw_step(const Weights& weights, const AdamRates& rates, std::int64_t t, float* m, float* v) {
  Weights plain = weights;
  plain.weight_decay = 0;
  run_adam(plain, constants(rates, t, 1 - rates.lr * static_cast<double>(weights.weight_decay)), m, v);
}

void rmsprop_step(const Weights& weights, const RmspropRates& rates, float* v, float* b) {
  float* buffer = rates.momentum == 0 ? nullptr : b;
  for_blocks(weights, [&](const Weights& part, std::int64_t first) {
    HWY_DYNAMIC_DISPATCH(rmsprop)(part, rates, v + first, buffer ? buffer + first : nullptr);
  });
}

void adagrad_step(const Weights& weights, float lr, float epsilon, float* s) {
  for_blocks(weights, [&](const Weights& part, std::int64_t first) {
    HWY_DYNAMIC_DISPATCH(adagrad)(part, lr, epsilon, s + first);
  });
}

}  // namespace carousel::kernels
#endif  // HWY_ONCE
