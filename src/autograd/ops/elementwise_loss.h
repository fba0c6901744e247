// elementwise_loss.h: the mean over all elements of a loss of prediction and target, element by element.
//
//   L = (1/n) sum over i of l(p[i], t[i])      dp[i] = dL / n  dl/dp (p[i], t[i])
//
// The forward pass saves dl/dp, so the target need not outlive the call. The sum is taken in double in a fixed order.
#pragma once

#include <string_view>

#include "autograd/ops/common.h"

namespace carousel::detail {

template <class T>
struct LossElement {
  T loss;
  T derivative;  // of the loss by the prediction
};

template <class T>
struct ElementwiseLossNode final : Node<T> {
  Node<T>* prediction;
  T* derivative;  // in the arena

  void backward() override {
    const std::int64_t n = prediction->value.elements();
    const T share = *this->gradient / static_cast<T>(n);
    const T* d = derivative;
    send(prediction->claim_gradient(), n, [=](std::int64_t i) { return share * d[i]; });
  }
};

// `element(p, t)` returns a LossElement<T>. Throws Error{kUsage} if the shapes differ or are empty.
template <class T, class F>
BasicVariable<T> elementwise_loss(std::string_view name, BasicVariable<T> prediction, View<const T> target, F element) {
  check_same_shape(name, "the target", target.shape, prediction.shape());
  const std::int64_t n = prediction.shape().elements();
  if (n == 0) fail(Code::kUsage, "{}: there are no elements", name);
  Arena& arena = prediction.tape().arena();
  auto* node = prediction.tape().template record<ElementwiseLossNode<T>>(Shape{}, prediction.node()->needs_gradient);
  node->prediction = prediction.node();
  node->derivative = node->needs_gradient ? arena.allocate<T>(n) : nullptr;
  const T* p = node->prediction->data();
  const T* t = target.data;
  T* derivative = node->derivative;
  const double total = ordered_sum(arena, n, [=](std::int64_t i) {
    const LossElement<T> result = element(p[i], t[i]);
    if (derivative) derivative[i] = result.derivative;
    return result.loss;
  });
  *node->data() = static_cast<T>(total / static_cast<double>(n));
  return BasicVariable<T>(node);
}

}  // namespace carousel::detail
