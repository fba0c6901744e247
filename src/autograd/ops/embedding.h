// embedding.h: one row of a table for every token.
//
//   y[i] = table[ids[i]]      table [vocabulary, embedding_size]   ids [rows]   y [rows, embedding_size]
//
//   dtable[v] = sum over i with ids[i] = v of dy[i]      in ascending order of i; other rows are not touched
//
// `ids` is copied. Throws Error{kUsage} if an id is outside the table.
#pragma once

#include <span>

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> embedding(BasicVariable<T> table, std::span<const std::int32_t> ids);

}  // namespace carousel
