// exp.h: the exponential function of every element.
//
//   y = exp(x)      dx = y dy
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> exp(BasicVariable<T> x);

}  // namespace carousel
