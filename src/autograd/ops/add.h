// add.h: sum and difference of two values of the same shape.
//
//   y = a + s b,   s = 1 (add) or -1 (subtract)
//
//   da = dy          db = s dy
//
// Throws Error{kUsage} if the shapes differ.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> add(BasicVariable<T> a, BasicVariable<T> b);

template <class T>
BasicVariable<T> subtract(BasicVariable<T> a, BasicVariable<T> b);

}  // namespace carousel
