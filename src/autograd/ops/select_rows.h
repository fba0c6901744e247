// select_rows.h: rows of a value by number; a number may occur more than once or never.
//
//   y[i] = x[index[i]]      x [..., C]: rows are counted over all axes but the last      y [index.size(), C]
//   y[i] = 0 where index[i] is -1
//
//   dx[r] = sum over i with index[i] = r of dy[i]      in ascending order of i
//
// `index` is copied. Throws Error{kUsage} if it names a row that is not there.
#pragma once

#include <span>

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> select_rows(BasicVariable<T> x, std::span<const std::int64_t> index);

}  // namespace carousel
