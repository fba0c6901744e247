#include "autograd/ops/scale.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct ScaleNode final : Node<T> {
  Node<T>* x;
  T factor;

  void backward() override {
    const T* dy = this->gradient;
    const T c = factor;
    detail::send(x->claim_gradient(), this->value.elements(), [=](std::int64_t i) { return c * dy[i]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> scale(BasicVariable<T> x, double factor, double offset) {
  auto* node = x.tape().template record<ScaleNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  node->factor = static_cast<T>(factor);
  const T* values = node->x->data();
  const T c = node->factor, d = static_cast<T>(offset);
  detail::fill_each(node->data(), node->value.elements(), [=](std::int64_t i) { return c * values[i] + d; });
  return BasicVariable<T>(node);
}

template BasicVariable<float> scale(BasicVariable<float>, double, double);
template BasicVariable<double> scale(BasicVariable<double>, double, double);

}  // namespace carousel
