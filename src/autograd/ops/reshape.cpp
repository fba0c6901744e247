#include "autograd/ops/reshape.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct ReshapeNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const T* dy = this->gradient;
    detail::send(x->claim_gradient(), this->value.elements(), [=](std::int64_t i) { return dy[i]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> reshape(BasicVariable<T> x, const Shape& shape) {
  if (shape.elements() != x.shape().elements()) {
    fail(Code::kUsage, "reshape: {} has {} elements, {} has {}", x.shape().to_string(), x.shape().elements(),
         shape.to_string(), shape.elements());
  }
  auto* node = x.tape().template record<ReshapeNode<T>>(Shape{0}, x.node()->needs_gradient);
  node->x = x.node();
  node->value = {node->x->data(), shape};
  return BasicVariable<T>(node);
}

template BasicVariable<float> reshape(BasicVariable<float>, const Shape&);
template BasicVariable<double> reshape(BasicVariable<double>, const Shape&);

}  // namespace carousel
