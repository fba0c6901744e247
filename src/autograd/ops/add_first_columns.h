// add_first_columns.h: a narrower value added to the first columns of a wider one.
//
//   y[row, j] = a[row, j] + b[row, j] for j < B, a[row, j] from there on     a, y [..., A]   b [..., B], B <= A
//
//   da = dy          db[row, j] = dy[row, j]
//
// Throws Error{kUsage} if b is wider or another axis than the last differs.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> add_first_columns(BasicVariable<T> a, BasicVariable<T> b);

}  // namespace carousel
