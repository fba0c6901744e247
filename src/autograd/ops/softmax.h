// softmax.h: every row to positive numbers that add up to 1.
//
//   y[j] = exp(x[j] - m) / sum over k of exp(x[k] - m)      m = max over k of x[k]      x [..., K]   y [..., K]
//
//   dx[j] = y[j] (dy[j] - sum over k of dy[k] y[k])
//
// Throws Error{kUsage} if a row has no columns. As the last step before a cross entropy use cross_entropy.h, which
// takes the logits.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> softmax(BasicVariable<T> x);

}  // namespace carousel
