#include "autograd/ops/exp.h"

#include "autograd/ops/activation.h"
#include "kernels/pointwise.h"

namespace carousel {

template <class T>
BasicVariable<T> exp(BasicVariable<T> x) {
  return detail::activation<T>(x, kernels::exp, [](T y, T dy) { return y * dy; });
}

template BasicVariable<float> exp(BasicVariable<float>);
template BasicVariable<double> exp(BasicVariable<double>);

}  // namespace carousel
