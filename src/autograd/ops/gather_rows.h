// gather_rows.h: rows of a table in the order of an index: what select_rows and embedding share.
//
//   y[i, :] = x[index[i], :]      dx[index[i], :] += dy[i, :] for i = 0, 1, 2 ... in this order
//   y[i, :] = 0 if index[i] is -1
//
// The columns of the gradient are split over the threads, so an index that occurs twice is added twice in the same
// order by every number of threads.
#pragma once

#include "autograd/ops/common.h"

namespace carousel::detail {

template <class T, class Index>
struct GatherRowsNode final : Node<T> {
  Node<T>* x;
  Index* index;  // in the arena

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    begin_scatter(dx, x->value.elements());
    const T* dy = this->gradient;
    T* out = dx.data;
    const std::int64_t count = this->shape()[0], columns = this->shape()[1];
    for_blocks(columns, kColumnBlock, [=, this](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < count; ++i) {
        if (index[i] < 0) continue;
        const T* from = dy + i * columns;
        T* to = out + static_cast<std::int64_t>(index[i]) * columns;
        for (std::int64_t j = begin; j < end; ++j) to[j] += from[j];
      }
    });
  }
};

// [index.size(), columns of x]. REQUIRES: every index names a row of x or is -1. The index is copied.
template <class T, class Index>
BasicVariable<T> gather_rows(BasicVariable<T> x, std::span<const Index> index) {
  const std::int64_t columns = x.shape().back();
  const auto count = static_cast<std::int64_t>(index.size());
  auto* node = x.tape().template record<GatherRowsNode<T, Index>>({count, columns}, x.node()->needs_gradient);
  node->x = x.node();
  node->index = x.tape().arena().template allocate<Index>(count);
  std::copy(index.begin(), index.end(), node->index);
  const T* in = node->x->data();
  T* out = node->data();
  for_blocks(count, kRowBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      T* to = out + i * columns;
      if (node->index[i] < 0) {
        std::fill_n(to, columns, T(0));
      } else {
        std::copy_n(in + static_cast<std::int64_t>(node->index[i]) * columns, columns, to);
      }
    }
  });
  return BasicVariable<T>(node);
}

}  // namespace carousel::detail
