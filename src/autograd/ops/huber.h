// huber.h: quadratic near the target, linear far from it (Huber 1964); the mean over all elements.
//
//   e = p - t      l = e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2)
//   dl/dp = e clamped to -delta .. delta
//
// `target` is used during the call only. Throws Error{kUsage} unless delta > 0, or if the shapes differ or are empty.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> huber(BasicVariable<T> prediction, View<const T> target, double delta = 1);

}  // namespace carousel
