// add_to_blocks.h: one row for each sample, added to all rows of the sample.
//
//   y[b, j] = x[b, j] + q[b]      x [key rows or more, C]   q [blocks, C]   y [key rows, C] (attention_blocks.h)
//
//   dx[b, j] = dy[b, j]           dq[b] = sum over j of dy[b, j]
//
// Throws Error{kUsage} unless every block has one query and the shapes fit.
#pragma once

#include "autograd/ops/attention_blocks.h"
#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> add_to_blocks(BasicVariable<T> x, BasicVariable<T> queries, const AttentionBlocks& blocks);

}  // namespace carousel
