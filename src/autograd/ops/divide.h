// divide.h: the element-wise quotient of two values of the same shape.
//
//   y = a / b  (element by element)
//
//   da = dy / b      db = -dy y / b
//
// Throws Error{kUsage} if the shapes differ.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> divide(BasicVariable<T> a, BasicVariable<T> b);

}  // namespace carousel
