// layer_norm.h: every row to mean 0 and variance 1, then a gain and a bias per column (Ba et al. 2016).
//
//   u = (x - mean(x)) r      r = 1 / sqrt(var(x) + epsilon)      y = gain u + bias      var: divided by C
//   x [..., C]   gain, bias [C]   y [..., C]; mean and variance over the last axis
//
//   du = gain dy      dx = r (du - mean(du) - u mean(du u))      dgain = sum over rows of dy u      dbias = sum of dy
//
// Throws Error{kUsage} if the shapes do not fit.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> layer_norm(BasicVariable<T> x, BasicVariable<T> gain, BasicVariable<T> bias, double epsilon = 1e-5);

}  // namespace carousel
