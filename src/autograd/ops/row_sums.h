// row_sums.h: the sum of each row: the last axis goes.
//
//   y[row] = sum over j of x[row, j]      x [..., C]   y [...]      dx[row, j] = dy[row]
//
// Added up in double from the first column to the last. Throws Error{kUsage} if x is a scalar.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> row_sums(BasicVariable<T> x);

}  // namespace carousel
