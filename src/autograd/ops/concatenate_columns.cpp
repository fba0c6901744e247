#include "autograd/ops/concatenate_columns.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct ConcatenateNode final : Node<T> {
  Node<T>** parts;  // in the arena
  std::int64_t count;

  void backward() override {
    const std::int64_t rows = this->shape().rows(), columns = this->shape().back();
    const T* dy = this->gradient;
    for (std::int64_t part = 0, first = 0; part < count; ++part) {
      const std::int64_t width = parts[part]->shape().back();
      send_rows(parts[part]->claim_gradient(), rows, width, dy + first, columns);
      first += width;
    }
  }

  static void send_rows(GradientTarget<T> target, std::int64_t rows, std::int64_t width, const T* dy,
                        std::int64_t columns) {
    if (!target) return;
    detail::for_blocks(rows, detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        T* out = target.data + row * width;
        for (std::int64_t j = 0; j < width; ++j) {
          out[j] = target.beta == T(0) ? dy[row * columns + j] : out[j] + dy[row * columns + j];
        }
      }
    });
  }
};

// The number of columns of the result; checks that the parts fit.
template <class T>
std::int64_t joined_columns(std::span<const BasicVariable<T>> parts) {
  if (parts.empty()) fail(Code::kUsage, "concatenate_columns: nothing to join");
  std::int64_t columns = 0;
  for (const BasicVariable<T>& part : parts) {
    const Shape& shape = part.shape();
    detail::check_same_tape("concatenate_columns", part, parts[0]);
    if (shape.rank() < 1) fail(Code::kUsage, "concatenate_columns: a scalar has no columns");
    const Shape expected = detail::with_last(parts[0].shape(), shape.back());
    detail::check_same_shape("concatenate_columns", "a part", shape, expected);
    columns += shape.back();
  }
  return columns;
}

}  // namespace

template <class T>
BasicVariable<T> concatenate_columns(std::span<const BasicVariable<T>> parts) {
  const std::int64_t columns = joined_columns(parts);
  bool needs_gradient = false;
  for (const BasicVariable<T>& part : parts) needs_gradient = needs_gradient || part.node()->needs_gradient;
  Tape<T>& tape = parts[0].tape();
  const Shape shape = detail::with_last(parts[0].shape(), columns);
  auto* node = tape.template record<ConcatenateNode<T>>(shape, needs_gradient);
  node->count = static_cast<std::int64_t>(parts.size());
  node->parts = tape.arena().template allocate<Node<T>*>(node->count);
  const std::int64_t rows = parts[0].shape().rows();
  std::int64_t first = 0;
  for (std::int64_t part = 0; part < node->count; ++part) {
    Node<T>* source = parts[static_cast<std::size_t>(part)].node();
    node->parts[part] = source;
    const std::int64_t width = source->shape().back();
    const T* in = source->data();
    T* out = node->data() + first;
    detail::for_blocks(rows, detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        std::copy(in + row * width, in + (row + 1) * width, out + row * columns);
      }
    });
    first += width;
  }
  return BasicVariable<T>(node);
}

template BasicVariable<float> concatenate_columns(std::span<const BasicVariable<float>>);
template BasicVariable<double> concatenate_columns(std::span<const BasicVariable<double>>);

}  // namespace carousel
