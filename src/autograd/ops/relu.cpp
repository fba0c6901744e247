#include "autograd/ops/relu.h"

#include "autograd/ops/common.h"
#include "kernels/pointwise.h"

namespace carousel {
namespace {

template <class T>
struct ReluNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const T* y = this->data();
    const T* dy = this->gradient;
    detail::send(x->claim_gradient(), this->value.elements(),
                 [=](std::int64_t i) { return y[i] > T(0) ? dy[i] : T(0); });
  }
};

}  // namespace

template <class T>
BasicVariable<T> relu(BasicVariable<T> x) {
  auto* node = x.tape().template record<ReluNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  detail::fill_pointwise<T>(kernels::relu, node->x->data(), node->data(), node->value.elements());
  return BasicVariable<T>(node);
}

template BasicVariable<float> relu(BasicVariable<float>);
template BasicVariable<double> relu(BasicVariable<double>);

}  // namespace carousel
