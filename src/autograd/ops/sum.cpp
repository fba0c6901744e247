#include "autograd/ops/sum.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct SumNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const T dy = *this->gradient;
    detail::send(x->claim_gradient(), x->value.elements(), [=](std::int64_t) { return dy; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> sum(BasicVariable<T> x) {
  auto* node = x.tape().template record<SumNode<T>>(Shape{}, x.node()->needs_gradient);
  node->x = x.node();
  const T* values = node->x->data();
  *node->data() = static_cast<T>(
      detail::ordered_sum(x.tape().arena(), x.shape().elements(), [=](std::int64_t i) { return values[i]; }));
  return BasicVariable<T>(node);
}

template BasicVariable<float> sum(BasicVariable<float>);
template BasicVariable<double> sum(BasicVariable<double>);

}  // namespace carousel
