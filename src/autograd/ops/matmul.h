// matmul.h: products of matrices, one for each entry of the axes before the last two.
//
//   y[..., i, k] = sum over j of a[..., i, j] b[..., j, k]      a [..., A, B]   b [..., B, C]   y [..., A, C]
//
//   da = dy b^T      db = a^T dy
//
// Throws Error{kUsage} unless both have the same two or more axes but for the last two, and these fit.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> matmul(BasicVariable<T> a, BasicVariable<T> b);

}  // namespace carousel
