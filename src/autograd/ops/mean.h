// mean.h: the mean of all elements, a scalar (shape []).
//
//   y = (1/n) sum over i of x[i]      dx[i] = dy / n
//
// Throws Error{kUsage} if there are no elements.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> mean(BasicVariable<T> x);

}  // namespace carousel
