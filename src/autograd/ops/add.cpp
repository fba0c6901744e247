#include "autograd/ops/add.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct AddNode final : Node<T> {
  Node<T>* a;
  Node<T>* b;
  T sign;

  void backward() override {
    const std::int64_t n = this->value.elements();
    const T *dy = this->gradient, s = sign;
    detail::send(a->claim_gradient(), n, [=](std::int64_t i) { return dy[i]; });
    detail::send(b->claim_gradient(), n, [=](std::int64_t i) { return s * dy[i]; });
  }
};

template <class T>
BasicVariable<T> add_signed(const char* name, BasicVariable<T> a_variable, BasicVariable<T> b_variable, T sign) {
  detail::check_same_tape(name, a_variable, b_variable);
  detail::check_same_shape(name, "the second input", b_variable.shape(), a_variable.shape());
  Node<T>* a_node = a_variable.node();
  Node<T>* b_node = b_variable.node();
  auto* node = a_variable.tape().template record<AddNode<T>>(a_variable.shape(),
                                                             a_node->needs_gradient || b_node->needs_gradient);
  node->a = a_node;
  node->b = b_node;
  node->sign = sign;
  const T* a = a_node->data();
  const T* b = b_node->data();
  detail::fill_each(node->data(), node->value.elements(), [=](std::int64_t i) { return a[i] + sign * b[i]; });
  return BasicVariable<T>(node);
}

}  // namespace

template <class T>
BasicVariable<T> add(BasicVariable<T> a, BasicVariable<T> b) {
  return add_signed("add", a, b, T{1});
}

template <class T>
BasicVariable<T> subtract(BasicVariable<T> a, BasicVariable<T> b) {
  return add_signed("subtract", a, b, T{-1});
}

template BasicVariable<float> add(BasicVariable<float>, BasicVariable<float>);
template BasicVariable<double> add(BasicVariable<double>, BasicVariable<double>);
template BasicVariable<float> subtract(BasicVariable<float>, BasicVariable<float>);
template BasicVariable<double> subtract(BasicVariable<double>, BasicVariable<double>);

}  // namespace carousel
