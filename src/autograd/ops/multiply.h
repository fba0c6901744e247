// multiply.h: the element-wise product of two values of the same shape.
//
//   y = a b  (element by element)
//
//   da = dy b        db = dy a
//
// Throws Error{kUsage} if the shapes differ.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> multiply(BasicVariable<T> a, BasicVariable<T> b);

}  // namespace carousel
