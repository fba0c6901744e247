// mse.h: mean squared error; the mean over all elements.
//
//   l = (p - t)^2      dl/dp = 2 (p - t)
//
// `target` is used during the call only. Throws Error{kUsage} if the shapes differ or are empty.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> mse(BasicVariable<T> prediction, View<const T> target);

}  // namespace carousel
