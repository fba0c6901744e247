#include "autograd/ops/embedding_sum.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace detail {
namespace {

template <class T>
struct EmbeddingSumNode final : Node<T> {
  Node<T>* table;
  const std::int64_t* starts;  // in the arena, like ids
  const std::int32_t* ids;

  // The columns are split over the threads: every element is added up in one order by any number of them.
  void backward() override {
    const GradientTarget<T> dtable = table->claim_gradient();
    if (!dtable) return;
    begin_scatter(dtable, table->value.elements());
    const std::int64_t lists = this->shape()[0], columns = this->shape()[1];
    const T* dy = this->gradient;
    T* out = dtable.data;
    for_blocks(columns, kColumnBlock, [=, this](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < lists; ++i) {
        for (std::int64_t k = starts[i]; k < starts[i + 1]; ++k) {
          T* to = out + ids[k] * columns;
          for (std::int64_t j = begin; j < end; ++j) to[j] += dy[i * columns + j];
        }
      }
    });
  }
};

template <class Number>
Number* copy_to_arena(Arena& arena, std::span<const Number> numbers) {
  auto* copy = arena.allocate<Number>(std::ssize(numbers));
  std::copy(numbers.begin(), numbers.end(), copy);
  return copy;
}

}  // namespace
}  // namespace detail

template <class T>
BasicVariable<T> embedding_sum(BasicVariable<T> table, std::span<const std::int64_t> starts,
                               std::span<const std::int32_t> ids) {
  if (table.shape().rank() != 2) {
    fail(Code::kUsage, "embedding_sum: the table has shape {}, expected [vocabulary, embedding_size]",
         table.shape().to_string());
  }
  const std::int64_t vocabulary = table.shape()[0], columns = table.shape()[1], lists = std::ssize(starts) - 1;
  for (std::size_t k = 0; k < ids.size(); ++k) {
    if (ids[k] < 0 || ids[k] >= vocabulary) {
      fail(Code::kUsage, "embedding_sum: id {} is {}, expected 0 .. {}", k, ids[k], vocabulary - 1);
    }
  }
  auto* node =
      table.tape().template record<detail::EmbeddingSumNode<T>>({lists, columns}, table.node()->needs_gradient);
  node->table = table.node();
  node->starts = detail::copy_to_arena(table.tape().arena(), starts);
  node->ids = detail::copy_to_arena(table.tape().arena(), ids);
  const T* in = node->table->data();
  T* out = node->data();
  detail::for_blocks(lists, detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
    std::fill(out + begin * columns, out + end * columns, T(0));
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t k = node->starts[i]; k < node->starts[i + 1]; ++k) {
        const T* row = in + node->ids[k] * columns;
        for (std::int64_t j = 0; j < columns; ++j) out[i * columns + j] += row[j];
      }
    }
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> embedding_sum(BasicVariable<float>, std::span<const std::int64_t>,
                                            std::span<const std::int32_t>);
template BasicVariable<double> embedding_sum(BasicVariable<double>, std::span<const std::int64_t>,
                                             std::span<const std::int32_t>);

}  // namespace carousel
