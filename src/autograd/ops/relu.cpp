#include "autograd/ops/relu.h"

#include "autograd/ops/activation.h"
#include "kernels/pointwise.h"

namespace carousel {

template <class T>
BasicVariable<T> relu(BasicVariable<T> x) {
  return detail::activation<T>(x, kernels::relu, [](T y, T dy) { return y > T(0) ? dy : T(0); });
}

template BasicVariable<float> relu(BasicVariable<float>);
template BasicVariable<double> relu(BasicVariable<double>);

}  // namespace carousel
