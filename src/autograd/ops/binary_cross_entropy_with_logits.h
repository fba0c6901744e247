// binary_cross_entropy_with_logits.h: two classes, or several yes-or-no labels per row; targets in [0, 1]; the mean
// over all elements.
//
//   z: logit   t: target   l = -t log sigmoid(z) - (1 - t) log(1 - sigmoid(z))
//                            = max(z, 0) - z t + log(1 + exp(-|z|))      (never overflows)
//   dl/dz = sigmoid(z) - t
//
// `target` is used during the call only. Throws Error{kUsage} if the shapes differ or are empty.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> binary_cross_entropy_with_logits(BasicVariable<T> logits, View<const T> target);

}  // namespace carousel
