#include "autograd/ops/huber.h"

#include <cmath>

#include "autograd/ops/elementwise_loss.h"

namespace carousel {

template <class T>
BasicVariable<T> huber(BasicVariable<T> prediction, View<const T> target, double delta) {
  if (!(delta > 0)) fail(Code::kUsage, "huber: delta is {}, expected more than 0", delta);
  const auto d = static_cast<T>(delta);
  return detail::elementwise_loss("huber", prediction, target, [d](T p, T t) {
    const T error = p - t, size = std::abs(error);
    const T loss = size <= d ? error * error / 2 : d * (size - d / 2);
    return detail::LossElement<T>{loss, std::clamp(error, -d, d)};
  });
}

template BasicVariable<float> huber(BasicVariable<float>, View<const float>, double);
template BasicVariable<double> huber(BasicVariable<double>, View<const double>, double);

}  // namespace carousel
