// select_columns.h: a range of columns.
//
//   y[row, j] = x[row, first + j]      x [..., C]   y [..., count]
//
//   dx[row, first + j] = dy[row, j], 0 elsewhere
//
// Throws Error{kUsage} unless 0 <= first and first + count <= C.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> select_columns(BasicVariable<T> x, std::int64_t first, std::int64_t count);

}  // namespace carousel
