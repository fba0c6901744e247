#include "autograd/ops/tanh.h"

#include "autograd/ops/activation.h"
#include "kernels/pointwise.h"

namespace carousel {

template <class T>
BasicVariable<T> tanh(BasicVariable<T> x) {
  return detail::activation<T>(x, kernels::tanh, [](T y, T dy) { return (T(1) - y * y) * dy; });
}

template BasicVariable<float> tanh(BasicVariable<float>);
template BasicVariable<double> tanh(BasicVariable<double>);

}  // namespace carousel
