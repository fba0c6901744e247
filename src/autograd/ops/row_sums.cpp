#include "autograd/ops/row_sums.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct RowSumsNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const T* dy = this->gradient;
    const std::int64_t columns = x->shape().back();
    detail::send(x->claim_gradient(), x->value.elements(), [=](std::int64_t i) { return dy[i / columns]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> row_sums(BasicVariable<T> x) {
  const std::span<const std::int64_t> sizes = x.shape().sizes();
  if (sizes.empty()) fail(Code::kUsage, "row_sums: x is a scalar, expected rows");
  auto* node = x.tape().template record<RowSumsNode<T>>(Shape(sizes.first(sizes.size() - 1)), x.node()->needs_gradient);
  node->x = x.node();
  const T* in = node->x->data();
  T* out = node->data();
  const std::int64_t columns = sizes.back();
  detail::for_blocks(node->value.elements(), detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      double sum = 0;
      for (std::int64_t j = 0; j < columns; ++j) sum += static_cast<double>(in[row * columns + j]);
      out[row] = static_cast<T>(sum);
    }
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> row_sums(BasicVariable<float>);
template BasicVariable<double> row_sums(BasicVariable<double>);

}  // namespace carousel
