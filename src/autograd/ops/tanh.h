// tanh.h: the hyperbolic tangent of every element.
//
//   y = tanh(x)      dx = (1 - y^2) dy
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> tanh(BasicVariable<T> x);

}  // namespace carousel
