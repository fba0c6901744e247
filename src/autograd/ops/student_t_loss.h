// student_t_loss.h: minus the logarithm of a Student t density; the mean over all known targets.
//
//   x [rows, 3 n]: location m, then s, then f    t [rows, n]    z = (t - m) / d
//   d = kLeastDeviation + softplus(s)            the scale, not the deviation: that is d sqrt(v / (v - 2))
//   v = kLeastFreedom + softplus(f)              degrees of freedom: the variance exists
//   l = log G(v/2) - log G((v+1)/2) + log(v pi) / 2 + log d + (v + 1) / 2 log(1 + z^2 / v)
//
//   dl/dm = -(v + 1) z / (d (v + z^2))           dl/ds = (1 - (v + 1) z^2 / (v + z^2)) / d sigmoid(s)
//   dl/df = (psi(v/2) - psi((v+1)/2) + 1/v + log(1 + z^2 / v) - (v + 1) z^2 / (v (v + z^2))) / 2 sigmoid(f)
//
// A target that is NaN is not known and does not count. `target` is used during the call only. Throws Error{kUsage} if
// the shapes do not fit or are empty.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

inline constexpr double kLeastFreedom = 2.1;

template <class T>
BasicVariable<T> student_t_loss(BasicVariable<T> x, View<const T> target);

}  // namespace carousel
