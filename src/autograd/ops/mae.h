// mae.h: mean absolute error; the mean over all elements.
//
//   l = |p - t|      dl/dp = sign(p - t), 0 where p = t
//
// `target` is used during the call only. Throws Error{kUsage} if the shapes differ or are empty.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> mae(BasicVariable<T> prediction, View<const T> target);

}  // namespace carousel
