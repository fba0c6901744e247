// scale.h: a value times a constant.
//
//   y = c x      dx = c dy
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> scale(BasicVariable<T> x, double factor);

}  // namespace carousel
