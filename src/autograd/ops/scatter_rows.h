// scatter_rows.h: the gradient of a gather of rows.
//
// out[index[i], :] += dy[i, :] for i = 0, 1, 2 ... in this order. The columns are split over the threads, so an index
// that occurs twice is added twice in the same order by every number of threads. Rows that no index names are not
// touched.
#pragma once

#include "autograd/ops/common.h"

namespace carousel::detail {

template <class T, class Index>
void scatter_rows(const T* dy, const Index* index, std::int64_t count, std::int64_t columns, T* out) {
  for_blocks(columns, kColumnBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T* from = dy + i * columns;
      T* to = out + static_cast<std::int64_t>(index[i]) * columns;
      for (std::int64_t j = begin; j < end; ++j) to[j] += from[j];
    }
  });
}

}  // namespace carousel::detail
