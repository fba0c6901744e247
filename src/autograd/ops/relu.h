// relu.h: the positive part of every element.
//
//   y = max(x, 0)      dx = dy where y > 0, else 0
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> relu(BasicVariable<T> x);

}  // namespace carousel
