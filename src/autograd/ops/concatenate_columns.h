// concatenate_columns.h: values side by side along the last axis.
//
//   y[row] = (a[row], b[row], ...)      a [..., A]   b [..., B]   y [..., A + B + ...]
//
//   da[row] = dy[row, 0 .. A)           db[row] = dy[row, A .. A + B)      and so on
//
// Throws Error{kUsage} if there is nothing to join or another axis than the last differs.
#pragma once

#include <initializer_list>
#include <span>

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> concatenate_columns(std::span<const BasicVariable<T>> parts);

template <class T>
BasicVariable<T> concatenate_columns(std::initializer_list<BasicVariable<T>> parts) {
  return concatenate_columns(std::span<const BasicVariable<T>>(parts.begin(), parts.size()));
}

}  // namespace carousel
