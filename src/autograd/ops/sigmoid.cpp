#include "autograd/ops/sigmoid.h"

#include "autograd/ops/common.h"
#include "kernels/pointwise.h"

namespace carousel {
namespace {

template <class T>
struct SigmoidNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const T* y = this->data();
    const T* dy = this->gradient;
    detail::send(x->claim_gradient(), this->value.elements(),
                 [=](std::int64_t i) { return y[i] * (T(1) - y[i]) * dy[i]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> sigmoid(BasicVariable<T> x) {
  auto* node = x.tape().template record<SigmoidNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  detail::fill_pointwise<T>(kernels::sigmoid, node->x->data(), node->data(), node->value.elements());
  return BasicVariable<T>(node);
}

template BasicVariable<float> sigmoid(BasicVariable<float>);
template BasicVariable<double> sigmoid(BasicVariable<double>);

}  // namespace carousel
