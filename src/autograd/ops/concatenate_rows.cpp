#include "autograd/ops/concatenate_rows.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct ConcatenateRowsNode final : Node<T> {
  Node<T>** parts;  // in the arena
  std::int64_t count;

  void backward() override {
    const T* dy = this->gradient;
    for (std::int64_t part = 0; part < count; ++part) {
      const std::int64_t elements = parts[part]->value.elements();
      detail::send(parts[part]->claim_gradient(), elements, [=](std::int64_t i) { return dy[i]; });
      dy += elements;
    }
  }
};

// The shape with its first axis replaced.
Shape with_first(const Shape& shape, std::int64_t first) {
  std::int64_t sizes[Shape::kMaxRank] = {};
  std::copy(shape.sizes().begin(), shape.sizes().end(), sizes);
  sizes[0] = first;
  return Shape(std::span<const std::int64_t>(sizes, static_cast<std::size_t>(shape.rank())));
}

// The size of the first axis of the result; checks that the parts fit.
template <class T>
std::int64_t joined_rows(std::span<const BasicVariable<T>> parts) {
  if (parts.empty()) fail(Code::kUsage, "concatenate_rows: nothing to join");
  std::int64_t rows = 0;
  for (const BasicVariable<T>& part : parts) {
    const Shape& shape = part.shape();
    detail::check_same_tape("concatenate_rows", part, parts[0]);
    if (shape.rank() < 1) fail(Code::kUsage, "concatenate_rows: a scalar has no rows");
    detail::check_same_shape("concatenate_rows", "a part", shape, with_first(parts[0].shape(), shape[0]));
    rows += shape[0];
  }
  return rows;
}

}  // namespace

template <class T>
BasicVariable<T> concatenate_rows(std::span<const BasicVariable<T>> parts) {
  const Shape shape = with_first(parts.empty() ? Shape{0} : parts[0].shape(), joined_rows(parts));
  bool needs_gradient = false;
  for (const BasicVariable<T>& part : parts) needs_gradient = needs_gradient || part.node()->needs_gradient;
  Tape<T>& tape = parts[0].tape();
  auto* node = tape.template record<ConcatenateRowsNode<T>>(shape, needs_gradient);
  node->count = static_cast<std::int64_t>(parts.size());
  node->parts = tape.arena().template allocate<Node<T>*>(node->count);
  T* out = node->data();
  for (std::int64_t part = 0; part < node->count; ++part) {
    Node<T>* source = parts[static_cast<std::size_t>(part)].node();
    node->parts[part] = source;
    out = std::copy_n(source->data(), source->value.elements(), out);
  }
  return BasicVariable<T>(node);
}

template BasicVariable<float> concatenate_rows(std::span<const BasicVariable<float>>);
template BasicVariable<double> concatenate_rows(std::span<const BasicVariable<double>>);

}  // namespace carousel
