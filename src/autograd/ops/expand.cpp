#include "autograd/ops/expand.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

// Where row `row` of the expanded shape begins in x (its last axis left out), and the step along the last axis.
struct ExpandedRows {
  Shape from, to;

  std::int64_t begin(std::int64_t row) const {
    std::int64_t offset = 0, stride = from.back();
    for (int axis = to.rank() - 2; axis >= 0; --axis) {
      if (from[axis] != 1) offset += row % to[axis] * stride;
      row /= to[axis];
      stride *= from[axis];
    }
    return offset;
  }
  std::int64_t step() const { return from.back() == to.back() ? 1 : 0; }
};

template <class T>
struct ExpandNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    detail::begin_scatter(dx, x->value.elements());
    const ExpandedRows rows{x->shape(), this->shape()};
    const std::int64_t columns = this->shape().back();
    for (std::int64_t row = 0; row < this->shape().rows(); ++row) {
      const T* dy = this->gradient + row * columns;
      T* out = dx.data + rows.begin(row);
      if (rows.step() == 1) {
        for (std::int64_t j = 0; j < columns; ++j) out[j] += dy[j];
      } else {
        double sum = 0;
        for (std::int64_t j = 0; j < columns; ++j) sum += static_cast<double>(dy[j]);
        *out += static_cast<T>(sum);
      }
    }
  }
};

void check_expand(const Shape& from, const Shape& to) {
  bool fits = from.rank() == to.rank();
  for (int axis = 0; fits && axis < to.rank(); ++axis) fits = from[axis] == to[axis] || from[axis] == 1;
  if (fits) return;
  fail(Code::kUsage, "expand: x has shape {}, expected that many axes of size 1 or as in {}", from.to_string(),
       to.to_string());
}

}  // namespace

template <class T>
BasicVariable<T> expand(BasicVariable<T> x, const Shape& shape) {
  check_expand(x.shape(), shape);
  auto* node = x.tape().template record<ExpandNode<T>>(shape, x.node()->needs_gradient);
  node->x = x.node();
  const ExpandedRows rows{x.shape(), shape};
  const T* in = node->x->data();
  T* out = node->data();
  const std::int64_t columns = shape.back(), step = rows.step();
  detail::for_blocks(shape.rows(), detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* from = in + rows.begin(row);
      for (std::int64_t j = 0; j < columns; ++j) out[row * columns + j] = from[j * step];
    }
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> expand(BasicVariable<float>, const Shape&);
template BasicVariable<double> expand(BasicVariable<double>, const Shape&);

}  // namespace carousel
