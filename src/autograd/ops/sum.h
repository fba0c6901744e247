// sum.h: the sum of all elements, a scalar (shape []).
//
//   y = sum over i of x[i]      dx[i] = dy
//
// Added up in double, in an order that depends on the size alone.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> sum(BasicVariable<T> x);

}  // namespace carousel
