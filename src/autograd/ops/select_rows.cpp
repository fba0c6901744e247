#include "autograd/ops/select_rows.h"

#include "autograd/ops/common.h"
#include "autograd/ops/scatter_rows.h"

namespace carousel {
namespace {

template <class T>
struct SelectRowsNode final : Node<T> {
  Node<T>* x;
  std::int64_t* index;  // in the arena

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    detail::begin_scatter(dx, x->value.elements());
    detail::scatter_rows(this->gradient, index, this->shape()[0], this->shape()[1], dx.data);
  }
};

}  // namespace

template <class T>
BasicVariable<T> select_rows(BasicVariable<T> x, std::span<const std::int64_t> index) {
  const std::int64_t rows = x.shape().rows(), columns = x.shape().back();
  const auto count = static_cast<std::int64_t>(index.size());
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index[i] < 0 || index[i] >= rows) {
      fail(Code::kUsage, "select_rows: index {} names row {} of {}", i, index[i], rows);
    }
  }
  auto* node = x.tape().template record<SelectRowsNode<T>>({count, columns}, x.node()->needs_gradient);
  node->x = x.node();
  node->index = x.tape().arena().template allocate<std::int64_t>(count);
  std::copy(index.begin(), index.end(), node->index);
  const T* in = node->x->data();
  T* out = node->data();
  detail::for_blocks(count, detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* row = in + node->index[i] * columns;
      std::copy(row, row + columns, out + i * columns);
    }
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> select_rows(BasicVariable<float>, std::span<const std::int64_t>);
template BasicVariable<double> select_rows(BasicVariable<double>, std::span<const std::int64_t>);

}  // namespace carousel
