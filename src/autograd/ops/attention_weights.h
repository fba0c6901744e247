// attention_weights.h: the scores of each query to positive numbers that add up to 1, over the keys of its sample.
//
//   p[b, h, i, j] = exp(s[b, h, i, j] - m) / sum over k of exp(s[b, h, i, k] - m)      m: the largest of the row
//   s, p [pairs] (attention_blocks.h)
//   causal: query i sees the keys 0 .. i alone; its other weights are exactly 0
//
//   ds[b, h, i, j] = p[b, h, i, j] (dp[b, h, i, j] - sum over k of dp[b, h, i, k] p[b, h, i, k])
//
// Throws Error{kUsage} if s does not have one number for each pair.
#pragma once

#include "autograd/ops/attention_blocks.h"
#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> attention_weights(BasicVariable<T> scores, const AttentionBlocks& blocks, bool causal = false);

}  // namespace carousel
