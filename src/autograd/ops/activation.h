// activation.h: a function of every element whose derivative follows from its value: what relu, sigmoid and tanh share.
#pragma once

#include "autograd/ops/common.h"

namespace carousel::detail {

template <class T, class Gradient>
struct ActivationNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const T* y = this->data();
    const T* dy = this->gradient;
    send(x->claim_gradient(), this->value.elements(), [=](std::int64_t i) { return Gradient()(y[i], dy[i]); });
  }
};

// y = kernel(x) with one of kernels/pointwise.h; dx = gradient(y, dy), a lambda that captures nothing.
template <class T, class Gradient>
BasicVariable<T> activation(BasicVariable<T> x, void (*kernel)(std::span<const T>, std::span<T>) noexcept, Gradient) {
  auto* node = x.tape().template record<ActivationNode<T, Gradient>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  const T* in = node->x->data();
  T* out = node->data();
  for_blocks(node->value.elements(), kElementBlock, [=](std::int64_t begin, std::int64_t end) {
    const auto size = static_cast<std::size_t>(end - begin);
    kernel({in + begin, size}, {out + begin, size});
  });
  return BasicVariable<T>(node);
}

}  // namespace carousel::detail
