// sigmoid.h: the logistic function of every element.
//
//   y = 1 / (1 + exp(-x))      dx = y (1 - y) dy
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> sigmoid(BasicVariable<T> x);

}  // namespace carousel
