// gaussian_loss.h: minus the logarithm of a normal density; the mean over all known targets.
//
//   x [rows, 2 n]: mean m, then s    t [rows, n]    d = kLeastDeviation + softplus(s)    z = (t - m) / d
//   l = log d + z^2 / 2 + log(2 pi) / 2
//
//   dl/dm = -z / d        dl/ds = (1 - z^2) / d sigmoid(s)
//
// A target that is NaN is not known and does not count. `target` is used during the call only. Throws Error{kUsage} if
// the shapes do not fit or are empty.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

inline constexpr double kLeastDeviation = 1e-3;  // in scaled units: 0.1 % of how much the series varies

template <class T>
BasicVariable<T> gaussian_loss(BasicVariable<T> x, View<const T> target);

}  // namespace carousel
