// highway.h: a gate between a value and what was made of it (Srivastava et al. 2015).
//
//   g = sigmoid(a)      y = g f + (1 - g) x      (element by element)
//
//   df = g dy           dx = (1 - g) dy          da = (f - x) g (1 - g) dy
//
// Throws Error{kUsage} if the shapes differ.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> highway(BasicVariable<T> a, BasicVariable<T> f, BasicVariable<T> x);

}  // namespace carousel
