// attention_scores.h: how well each query fits each key of its sample, head by head: their dot products.
//
//   s[b, h, i, j] = sum over d of q[b, i, h D + d] k[b, j, h D + d]
//   q [query rows, heads D]   k [key rows or more, heads D]   s [pairs] (attention_blocks.h)
//
//   dq[b, i, h D + d] = sum over j of ds[b, h, i, j] k[b, j, h D + d]
//   dk[b, j, h D + d] = sum over i of ds[b, h, i, j] q[b, i, h D + d]
//
// Throws Error{kUsage} if the shapes do not fit the blocks.
#pragma once

#include "autograd/ops/attention_blocks.h"
#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> attention_scores(BasicVariable<T> queries, BasicVariable<T> keys, const AttentionBlocks& blocks);

}  // namespace carousel
