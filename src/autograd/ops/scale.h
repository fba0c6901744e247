// scale.h: a value times a constant, plus a constant.
//
//   y = c x + d      dx = c dy
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> scale(BasicVariable<T> x, double factor, double offset = 0);

}  // namespace carousel
