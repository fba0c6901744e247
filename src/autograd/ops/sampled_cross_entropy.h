// sampled_cross_entropy.h: the cross entropy of a softmax over many classes with its denominator estimated from some
// drawn classes (importance sampling, Bengio and Senecal 2003), so that a step costs as many products as there are
// draws.
//
//   z[r, k] = x[r] . W[k] + b[k]
//   Z[r]    = exp(z[r, y[r]]) + 1 / S sum over the draws k != y[r] of exp(z[r, k]) / q(k)      expected: the true one
//   L       = mean over the rows of log Z[r] - z[r, y[r]]
//
// All rows share the S draws, with replacement, from q(k) = log((k + 2) / (k + 1)) / log(V + 1), which suits classes
// numbered by falling frequency. With many draws L becomes the cross entropy; it is for training only.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.h"
#include "carousel/autograd.h"

namespace carousel {

// q(k) for V = classes.
double log_uniform_probability(std::int64_t k, std::int64_t classes);

// x [rows, H], weight [V, H], bias [V]; the draws follow from the key. Throws Error{kUsage} if the shapes do not fit, a
// label is outside 0 .. V-1, or there is no draw.
template <class T>
BasicVariable<T> sampled_cross_entropy(BasicVariable<T> x, BasicVariable<T> weight, BasicVariable<T> bias,
                                       std::span<const std::int32_t> labels, std::int64_t draws, const RandomKey& key);

}  // namespace carousel
