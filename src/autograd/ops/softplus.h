// softplus.h: a smooth form of relu; never negative, x far above 0 and exp(x) far below.
//
//   y = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))      (never overflows)
//
//   dx = sigmoid(x) dy = (1 - exp(-y)) dy
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> softplus(BasicVariable<T> x);

}  // namespace carousel
