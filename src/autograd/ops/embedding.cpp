#include "autograd/ops/embedding.h"

#include "autograd/ops/gather_rows.h"

namespace carousel {

template <class T>
BasicVariable<T> embedding(BasicVariable<T> table, std::span<const std::int32_t> ids) {
  if (table.shape().rank() != 2) {
    fail(Code::kUsage, "embedding: the table has shape {}, expected [vocabulary, embedding_size]",
         table.shape().to_string());
  }
  const std::int64_t vocabulary = table.shape()[0];
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocabulary) {
      fail(Code::kUsage, "embedding: row {} has token id {}, expected 0 .. {}", i, ids[i], vocabulary - 1);
    }
  }
  return detail::gather_rows(table, ids);
}

template BasicVariable<float> embedding(BasicVariable<float>, std::span<const std::int32_t>);
template BasicVariable<double> embedding(BasicVariable<double>, std::span<const std::int32_t>);

}  // namespace carousel
