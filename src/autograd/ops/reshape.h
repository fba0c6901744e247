// reshape.h: the same elements under another shape.
//
//   y[i] = x[i] (flat index)      dx[i] = dy[i]
//
// The value is a view of the input's memory. Throws Error{kUsage} if the element counts differ.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> reshape(BasicVariable<T> x, const Shape& shape);

}  // namespace carousel
