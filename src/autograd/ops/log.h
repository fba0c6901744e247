// log.h: the natural logarithm of every element.
//
//   y = log(x)      dx = dy / x
//
// An element that is not above 0 gives -inf (0) or NaN, as std::log does.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> log(BasicVariable<T> x);

}  // namespace carousel
