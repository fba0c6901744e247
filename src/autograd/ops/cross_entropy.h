// cross_entropy.h: softmax and the negative log-likelihood of the right class, in one operation.
//
//   p = softmax(z)      log p = z - max(z) - log(sum exp(z - max(z)))      z [..., K], one row per label
//   l = -(1 - s) w[y] log p[y] - (s / K) sum over k of w[k] log p[k]      L = sum over rows of l / sum over rows of
//   w[y]
//
//   dz[k] = dL / (sum of w[y]) ((1 - s) w[y] (p[k] - [k = y]) + (s / K) (p[k] (sum of w) - w[k]))
//
// s: label smoothing, w: class weights (1 if not given), both as in PyTorch; without them dz = (p - y) / rows. Rows
// whose label is kIgnoredLabel count nowhere; if no row counts, L and every gradient are 0.
#pragma once

#include <span>

#include "carousel/autograd.h"
#include "carousel/loss.h"

namespace carousel {

// `labels` and the class weights are used during the call only. Throws Error{kUsage} if the counts do not fit, a label
// is outside 0 .. K-1, or an option is out of range.
template <class T>
BasicVariable<T> cross_entropy(BasicVariable<T> logits, std::span<const std::int32_t> labels,
                               const CrossEntropyOptions& options = {});

}  // namespace carousel
