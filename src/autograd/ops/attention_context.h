// attention_context.h: for each query the sum of the values of its sample, weighed head by head.
//
//   c[b, i, h D + d] = sum over j of p[b, h, i, j] v[b, j, h D + d]
//   p [pairs] (attention_blocks.h)   v [key rows or more, heads D]   c [query rows, heads D]
//
//   dp[b, h, i, j] = sum over d of dc[b, i, h D + d] v[b, j, h D + d]
//   dv[b, j, h D + d] = sum over i of p[b, h, i, j] dc[b, i, h D + d]
//
// A query of a sample without keys gets 0. Throws Error{kUsage} if the shapes do not fit the blocks.
#pragma once

#include "autograd/ops/attention_blocks.h"
#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> attention_context(BasicVariable<T> weights, BasicVariable<T> values, const AttentionBlocks& blocks);

}  // namespace carousel
