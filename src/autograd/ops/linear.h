// linear.h: a matrix product with a weight, and a bias.
//
//   y = x W^T + b      x [..., in]   W [out, in]   b [out]   y [..., out]
//
//   dx = dy W          dW = dy^T x          db[j] = sum over rows of dy[row, j]
//
// Throws Error{kUsage} if the shapes do not fit.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> linear(BasicVariable<T> x, BasicVariable<T> weight, BasicVariable<T> bias = {});

}  // namespace carousel
