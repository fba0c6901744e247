#include "autograd/ops/sigmoid.h"

#include "autograd/ops/activation.h"
#include "kernels/pointwise.h"

namespace carousel {

template <class T>
BasicVariable<T> sigmoid(BasicVariable<T> x) {
  return detail::activation<T>(x, kernels::sigmoid, [](T y, T dy) { return y * (T(1) - y) * dy; });
}

template BasicVariable<float> sigmoid(BasicVariable<float>);
template BasicVariable<double> sigmoid(BasicVariable<double>);

}  // namespace carousel
