// expand.h: axes of size 1 repeated, so that values of different shapes can be added or multiplied.
//
//   y[i, j, ...] = x[i or 0, j or 0, ...]      0 where the axis of x has size 1
//
//   dx = the sum of dy over the repeated axes, in ascending order
//
// Throws Error{kUsage} unless both have as many axes and every axis of x has size 1 or that of y.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> expand(BasicVariable<T> x, const Shape& shape);

}  // namespace carousel
