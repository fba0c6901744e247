#include "autograd/ops/mae.h"

#include <cmath>

#include "autograd/ops/elementwise_loss.h"

namespace carousel {

template <class T>
BasicVariable<T> mae(BasicVariable<T> prediction, View<const T> target) {
  return detail::elementwise_loss("mae", prediction, target, [](T p, T t) {
    const T error = p - t;
    return detail::LossElement<T>{std::abs(error), static_cast<T>((error > 0) - (error < 0))};
  });
}

template BasicVariable<float> mae(BasicVariable<float>, View<const float>);
template BasicVariable<double> mae(BasicVariable<double>, View<const double>);

}  // namespace carousel
