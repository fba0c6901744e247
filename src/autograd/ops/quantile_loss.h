// quantile_loss.h: the pinball loss of several quantiles that cannot cross (Koenker and Bassett 1978); the mean over
// all known targets and levels.
//
//   x [rows, Q n]: the quantile of the middle level q_c, then the steps up to each level above it, then the steps down
//   to each level below it
//   q_(k+1) = q_k + softplus(step)  above       q_(k-1) = q_k - softplus(step)  below
//   l = 1/Q sum over the levels of max(level (t - q), (level - 1) (t - q))
//
//   dl/dq_k = (1{t < q_k} - level_k) / Q        dl/dstep = +-sigmoid(step) times the sum of dl/dq_k from that step on
//
// The middle level is the one nearest to 0.5, the lower of two. A target that is NaN is not known and does not count.
// `target` is used during the call only. Throws Error{kUsage} if the shapes do not fit or are empty.
#pragma once

#include <span>

#include "carousel/autograd.h"

namespace carousel {

// The position of the middle level. REQUIRES: levels rise and are not empty.
std::int64_t middle_level(std::span<const double> levels);

// levels [Q], rising, each in (0, 1).
template <class T>
BasicVariable<T> quantile_loss(BasicVariable<T> x, View<const T> target, std::span<const double> levels);

}  // namespace carousel
