// gelu.h: the Gaussian error linear unit of every element, in the form with tanh (Hendrycks and Gimpel 2016).
//
//   y = x g,   g = sigmoid(2 u) = (1 + tanh(u)) / 2,   u = sqrt(2 / pi) (x + 0.044715 x^3)
//
//   dx = (g + x g (1 - g) 2 du/dx) dy      du/dx = sqrt(2 / pi) (1 + 3 0.044715 x^2)
#pragma once

#include "carousel/autograd.h"

namespace carousel {

template <class T>
BasicVariable<T> gelu(BasicVariable<T> x);

}  // namespace carousel
