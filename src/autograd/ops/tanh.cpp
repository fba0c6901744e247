#include "autograd/ops/tanh.h"

#include "autograd/ops/common.h"
#include "kernels/pointwise.h"

namespace carousel {
namespace {

template <class T>
struct TanhNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const T* y = this->data();
    const T* dy = this->gradient;
    detail::send(x->claim_gradient(), this->value.elements(),
                 [=](std::int64_t i) { return (T(1) - y[i] * y[i]) * dy[i]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> tanh(BasicVariable<T> x) {
  auto* node = x.tape().template record<TanhNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  detail::fill_pointwise<T>(kernels::tanh, node->x->data(), node->data(), node->value.elements());
  return BasicVariable<T>(node);
}

template BasicVariable<float> tanh(BasicVariable<float>);
template BasicVariable<double> tanh(BasicVariable<double>);

}  // namespace carousel
