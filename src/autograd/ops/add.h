// add.h: the sum of two values of the same shape.
//
//   y = a + b
//
//   da = dy          db = dy
//
// Throws Error{kUsage} if the shapes differ.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> add(BasicVariable<T> a, BasicVariable<T> b);

}  // namespace carousel
