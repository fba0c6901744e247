#include "autograd/ops/divide.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct DivideNode final : Node<T> {
  Node<T>* a;
  Node<T>* b;

  void backward() override {
    const std::int64_t n = this->value.elements();
    const T *y = this->data(), *dy = this->gradient, *divisor = b->data();
    detail::send(a->claim_gradient(), n, [=](std::int64_t i) { return dy[i] / divisor[i]; });
    detail::send(b->claim_gradient(), n, [=](std::int64_t i) { return -dy[i] * y[i] / divisor[i]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> divide(BasicVariable<T> a_variable, BasicVariable<T> b_variable) {
  detail::check_same_tape("divide", a_variable, b_variable);
  detail::check_same_shape("divide", "the second input", b_variable.shape(), a_variable.shape());
  Node<T>* a_node = a_variable.node();
  Node<T>* b_node = b_variable.node();
  auto* node = a_variable.tape().template record<DivideNode<T>>(a_variable.shape(),
                                                                a_node->needs_gradient || b_node->needs_gradient);
  node->a = a_node;
  node->b = b_node;
  const T* a = a_node->data();
  const T* b = b_node->data();
  detail::fill_each(node->data(), node->value.elements(), [=](std::int64_t i) { return a[i] / b[i]; });
  return BasicVariable<T>(node);
}

template BasicVariable<float> divide(BasicVariable<float>, BasicVariable<float>);
template BasicVariable<double> divide(BasicVariable<double>, BasicVariable<double>);

}  // namespace carousel
