// distribution_loss.h: the mean over all known targets of a loss of several parameters for each.
//
//   x [rows, P n]      parameter p of target j stands in column p n + j: first all locations, then all scales ...
//   t [rows, n]        NaN: not known, no loss and no gradient
//   L = (1 / known) sum over the known t[r, j] of l(x[r, j], x[r, n + j], ..., t[r, j])        0 if none is known
//
// The forward pass saves dl/dx, so the target need not outlive the call. The sum is taken in double in a fixed order.
#pragma once

#include <cmath>
#include <string_view>

#include "autograd/ops/common.h"

namespace carousel::detail {

// floor + log(1 + exp(x)), the form of every parameter that has to stay positive, and its derivative.
template <class T>
struct Positive {
  T value, slope;
};

template <class T>
Positive<T> positive(T x, double floor) {
  const T value = std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
  return {static_cast<T>(floor) + value, -std::expm1(-value)};
}

// The x whose positive(x, floor) is `value`. REQUIRES: value > floor.
inline double positive_inverse(double value, double floor) { return std::log(std::expm1(value - floor)); }

template <class T>
struct DistributionLossNode final : Node<T> {
  Node<T>* x;
  T* derivative;  // in the arena, of one target's loss
  T share;        // 1 / known

  void backward() override {
    const T factor = *this->gradient * share;
    const T* d = derivative;
    send(x->claim_gradient(), x->value.elements(), [=](std::int64_t i) { return factor * d[i]; });
  }
};

// `element(p, n, t, d)` returns the loss of one target, whose parameters are p[0], p[n], p[2 n] ..., and, unless d is
// null, writes the derivatives by them to d[0], d[n] .... Throws Error{kUsage} if the shapes do not fit or are empty.
template <class T, class F>
BasicVariable<T> distribution_loss(std::string_view name, BasicVariable<T> x, View<const T> target,
                                   std::int64_t parameters, F element) {
  const std::int64_t rows = target.shape.rows(), n = target.shape.back();
  check_same_shape(name, "the parameters", x.shape(), with_last(target.shape, parameters * n));
  if (target.elements() == 0) fail(Code::kUsage, "{}: there are no elements", name);
  Arena& arena = x.tape().arena();
  auto* node = x.tape().template record<DistributionLossNode<T>>(Shape{}, x.node()->needs_gradient);
  node->x = x.node();
  node->derivative = node->needs_gradient ? arena.allocate<T>(x.value().elements()) : nullptr;
  const T *p = node->x->data(), *t = target.data;
  T* derivative = node->derivative;
  const double known = ordered_sum(arena, rows * n, [=](std::int64_t i) { return std::isnan(t[i]) ? 0 : 1; });
  const double total = ordered_sum(arena, rows * n, [=](std::int64_t i) {
    const std::int64_t at = i / n * parameters * n + i % n;
    if (!std::isnan(t[i])) return element(p + at, n, t[i], derivative ? derivative + at : nullptr);
    for (std::int64_t k = 0; derivative && k < parameters; ++k) derivative[at + k * n] = 0;
    return T(0);
  });
  node->share = static_cast<T>(known > 0 ? 1 / known : 0);
  *node->data() = static_cast<T>(known > 0 ? total / known : 0);
  return BasicVariable<T>(node);
}

}  // namespace carousel::detail
