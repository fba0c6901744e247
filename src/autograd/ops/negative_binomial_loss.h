// negative_binomial_loss.h: minus the logarithm of a negative binomial probability, for counts (DeepAR: Salinas et al.
// 2020); the mean over all known targets.
//
//   x [rows, 2 n]: scaled location y, then s     t [rows, n] counts     a = kLeastDispersion + softplus(s)
//   m = link(shift + slope y)                    the mean; the variance is m + a m^2
//   link(c) = c from the knee k = 0.1 max(shift, slope) on, k exp(c / k - 1) below: never 0, smooth
//   r = 1 / a
//   l = log G(r) + log G(t + 1) - log G(t + r) + (t + r) log(1 + a m) - t log(a m)
//
//   dl/dm = (m - t) / (m (1 + a m))              dl/dy = dl/dm link' slope
//   dl/ds = (r^2 (psi(t + r) - psi(r) - log(1 + a m)) + (t + r) m / (1 + a m) - t / a) sigmoid(s)
//
// shift and slope [rows, n] undo the scaling of the series: a count is shift + slope times its scaled value. A target
// that is NaN is not known and does not count. What is viewed is used during the call only. Throws Error{kUsage} if the
// shapes do not fit or are empty.
#pragma once

#include <algorithm>
#include <cmath>

#include "carousel/autograd.h"

namespace carousel {

inline constexpr double kLeastDispersion = 1e-4;

// The mean count and its derivative by the scaled location.
struct CountMean {
  double value, slope;
};

inline CountMean count_mean(double location, double shift, double slope) {
  const double knee = 0.1 * std::max(shift, slope), count = shift + slope * location;
  if (count >= knee) return {count, slope};
  // Not so near 0 that the logarithm of the mean loses its meaning.
  const double share = std::exp(std::max(count / knee - 1, -30.0));
  return {knee * share, slope * share};
}

template <class T>
struct CountUnits {
  View<const T> shift, slope;
};

template <class T>
BasicVariable<T> negative_binomial_loss(BasicVariable<T> x, View<const T> target, const CountUnits<T>& units);

}  // namespace carousel
