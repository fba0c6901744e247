#include "autograd/ops/mse.h"

#include <cmath>

#include "autograd/ops/elementwise_loss.h"

namespace carousel {

template <class T>
BasicVariable<T> mse(BasicVariable<T> prediction, View<const T> target) {
  return detail::elementwise_loss("mse", prediction, target, [](T p, T t) {
    const T error = p - t;
    return detail::LossElement<T>{error * error, 2 * error};
  });
}

template BasicVariable<float> mse(BasicVariable<float>, View<const float>);
template BasicVariable<double> mse(BasicVariable<double>, View<const double>);

}  // namespace carousel
