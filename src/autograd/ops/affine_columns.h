// affine_columns.h: every column scaled and shifted by constants.
//
//   y[r, j] = factor[j] x[r, j] + offset[j]      x [..., C]   factor, offset [C]      dx[r, j] = factor[j] dy[r, j]
//
// `factor` and `offset` are borrowed until the tape's reset(). Throws Error{kUsage} if their size is not C.
#pragma once

#include <span>

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> affine_columns(BasicVariable<T> x, std::span<const T> factor, std::span<const T> offset);

}  // namespace carousel
