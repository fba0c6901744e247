// embedding_sum.h: the sum of some rows of a table for every list of ids.
//
//   y[i] = sum over k in [starts[i], starts[i + 1]) of table[ids[k]]      an empty list gives 0
//   table [vocabulary, embedding_size]   starts [lists + 1]   ids [starts.back()]   y [lists, embedding_size]
//
//   dtable[ids[k]] += dy[i] for every k of list i, in ascending order of k; other rows are not touched
//
// starts and ids are copied. Throws Error{kUsage} if an id is outside the table. REQUIRES: starts ascends from 0.
#pragma once

#include <span>

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> embedding_sum(BasicVariable<T> table, std::span<const std::int64_t> starts,
                               std::span<const std::int32_t> ids);

}  // namespace carousel
