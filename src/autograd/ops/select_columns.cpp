#include "autograd/ops/select_columns.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct SelectColumnsNode final : Node<T> {
  Node<T>* x;
  std::int64_t first;

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    detail::begin_scatter(dx, x->value.elements());
    const T* dy = this->gradient;
    const std::int64_t columns = x->shape().back(), count = this->shape().back();
    T* out = dx.data + first;
    detail::for_blocks(this->shape().rows(), detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t j = 0; j < count; ++j) out[row * columns + j] += dy[row * count + j];
      }
    });
  }
};

}  // namespace

template <class T>
BasicVariable<T> select_columns(BasicVariable<T> x, std::int64_t first, std::int64_t count) {
  const std::int64_t columns = x.shape().back();
  if (x.shape().rank() < 1 || first < 0 || count < 0 || first > columns - count) {
    fail(Code::kUsage, "select_columns: {} columns from column {} on, but x has shape {}", count, first,
         x.shape().to_string());
  }
  auto* node =
      x.tape().template record<SelectColumnsNode<T>>(detail::with_last(x.shape(), count), x.node()->needs_gradient);
  node->x = x.node();
  node->first = first;
  const T* in = node->x->data() + first;
  T* out = node->data();
  detail::for_blocks(node->shape().rows(), detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) std::copy_n(in + row * columns, count, out + row * count);
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> select_columns(BasicVariable<float>, std::int64_t, std::int64_t);
template BasicVariable<double> select_columns(BasicVariable<double>, std::int64_t, std::int64_t);

}  // namespace carousel
