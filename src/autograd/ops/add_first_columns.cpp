#include "autograd/ops/add_first_columns.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct AddFirstColumnsNode final : Node<T> {
  Node<T>* a;
  Node<T>* b;

  void backward() override {
    const std::int64_t columns = this->shape().back(), count = b->shape().back();
    const T* dy = this->gradient;
    detail::send(a->claim_gradient(), this->value.elements(), [=](std::int64_t i) { return dy[i]; });
    detail::send(b->claim_gradient(), b->value.elements(),
                 [=](std::int64_t i) { return dy[i / count * columns + i % count]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> add_first_columns(BasicVariable<T> a, BasicVariable<T> b) {
  detail::check_same_tape("add_first_columns", a, b);
  const std::int64_t columns = a.shape().back(), count = b.shape().back();
  if (count > columns) {
    fail(Code::kUsage, "add_first_columns: the second input has {} columns, the first only {}", count, columns);
  }
  detail::check_same_shape("add_first_columns", "the second input", b.shape(), detail::with_last(a.shape(), count));
  auto* node =
      a.tape().template record<AddFirstColumnsNode<T>>(a.shape(), a.node()->needs_gradient || b.node()->needs_gradient);
  node->a = a.node();
  node->b = b.node();
  const T *wide = node->a->data(), *narrow = node->b->data();
  detail::fill_each(node->data(), node->value.elements(), [=](std::int64_t i) {
    const std::int64_t j = i % columns;
    return j < count ? wide[i] + narrow[i / columns * count + j] : wide[i];
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> add_first_columns(BasicVariable<float>, BasicVariable<float>);
template BasicVariable<double> add_first_columns(BasicVariable<double>, BasicVariable<double>);

}  // namespace carousel
