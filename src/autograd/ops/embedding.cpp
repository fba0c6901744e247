#include "autograd/ops/embedding.h"

#include "autograd/ops/common.h"
#include "autograd/ops/scatter_rows.h"

namespace carousel {
namespace {

template <class T>
struct EmbeddingNode final : Node<T> {
  Node<T>* table;
  std::int32_t* ids;  // in the arena

  void backward() override {
    const GradientTarget<T> dtable = table->claim_gradient();
    if (!dtable) return;
    detail::begin_scatter(dtable, table->value.elements());
    detail::scatter_rows(this->gradient, ids, this->shape()[0], this->shape()[1], dtable.data);
  }
};

}  // namespace

template <class T>
BasicVariable<T> embedding(BasicVariable<T> table, std::span<const std::int32_t> ids) {
  if (table.shape().rank() != 2) {
    fail(Code::kUsage, "embedding: the table has shape {}, expected [vocabulary, embedding_size]",
         table.shape().to_string());
  }
  const std::int64_t vocabulary = table.shape()[0], columns = table.shape()[1];
  const auto rows = static_cast<std::int64_t>(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocabulary) {
      fail(Code::kUsage, "embedding: row {} has token id {}, expected 0 .. {}", i, ids[i], vocabulary - 1);
    }
  }
  auto* node = table.tape().template record<EmbeddingNode<T>>({rows, columns}, table.node()->needs_gradient);
  node->table = table.node();
  node->ids = table.tape().arena().template allocate<std::int32_t>(rows);
  std::copy(ids.begin(), ids.end(), node->ids);
  const T* in = node->table->data();
  T* out = node->data();
  detail::for_blocks(rows, detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* row = in + node->ids[i] * columns;
      std::copy(row, row + columns, out + i * columns);
    }
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> embedding(BasicVariable<float>, std::span<const std::int32_t>);
template BasicVariable<double> embedding(BasicVariable<double>, std::span<const std::int32_t>);

}  // namespace carousel
