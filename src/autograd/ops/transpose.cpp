#include "autograd/ops/transpose.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

// Calls f(i, j) for consecutive elements i of [..., rows, columns] and their places j in [..., columns, rows].
template <class F>
void for_transposed(std::int64_t elements, std::int64_t rows, std::int64_t columns, F f) {
  const std::int64_t size = rows * columns;
  detail::for_blocks(elements, detail::kElementBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t within = i % size;
      f(i, i - within + within % columns * rows + within / columns);
    }
  });
}

template <class T>
struct TransposeNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    const int rank = x->shape().rank();
    const T* dy = this->gradient;
    for_transposed(x->value.elements(), x->shape()[rank - 2], x->shape().back(),
                   [=](std::int64_t i, std::int64_t j) { dx.data[i] = dx.beta == T(0) ? dy[j] : dx.data[i] + dy[j]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> transpose(BasicVariable<T> x) {
  const Shape& shape = x.shape();
  const int rank = shape.rank();
  if (rank < 2) fail(Code::kUsage, "transpose: x has shape {}, expected two axes or more", shape.to_string());
  std::int64_t sizes[Shape::kMaxRank] = {};
  std::copy(shape.sizes().begin(), shape.sizes().end(), sizes);
  std::swap(sizes[rank - 2], sizes[rank - 1]);
  auto* node = x.tape().template record<TransposeNode<T>>(
      Shape(std::span<const std::int64_t>(sizes, static_cast<std::size_t>(rank))), x.node()->needs_gradient);
  node->x = x.node();
  const T* in = node->x->data();
  T* out = node->data();
  for_transposed(shape.elements(), shape[rank - 2], shape.back(),
                 [=](std::int64_t i, std::int64_t j) { out[j] = in[i]; });
  return BasicVariable<T>(node);
}

template BasicVariable<float> transpose(BasicVariable<float>);
template BasicVariable<double> transpose(BasicVariable<double>);

}  // namespace carousel
