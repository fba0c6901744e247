// concatenate_rows.h: values one under another along the first axis.
//
//   y = (a; b; ...)      a [A, ...]   b [B, ...]   y [A + B + ..., ...]: the other axes agree
//
//   da = dy[0 .. A)      db = dy[A .. A + B)      and so on
//
// Throws Error{kUsage} if there is nothing to join or another axis than the first differs.
#pragma once

#include <initializer_list>
#include <span>

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> concatenate_rows(std::span<const BasicVariable<T>> parts);

template <class T>
BasicVariable<T> concatenate_rows(std::initializer_list<BasicVariable<T>> parts) {
  return concatenate_rows(std::span<const BasicVariable<T>>(parts.begin(), parts.size()));
}

}  // namespace carousel
