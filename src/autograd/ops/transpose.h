// transpose.h: the last two axes change places.
//
//   y[..., j, i] = x[..., i, j]      dx[..., i, j] = dy[..., j, i]
//
// Throws Error{kUsage} if x has fewer than two axes.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> transpose(BasicVariable<T> x);

}  // namespace carousel
