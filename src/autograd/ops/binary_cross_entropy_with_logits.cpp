#include "autograd/ops/binary_cross_entropy_with_logits.h"

#include <cmath>

#include "autograd/ops/elementwise_loss.h"

namespace carousel {

template <class T>
BasicVariable<T> binary_cross_entropy_with_logits(BasicVariable<T> logits, View<const T> target) {
  return detail::elementwise_loss("binary_cross_entropy_with_logits", logits, target, [](T z, T t) {
    const T decay = std::exp(-std::abs(z));  // in (0, 1]
    const T probability = (z >= 0 ? T(1) : decay) / (1 + decay);
    return detail::LossElement<T>{std::max(z, T(0)) - z * t + std::log1p(decay), probability - t};
  });
}

template BasicVariable<float> binary_cross_entropy_with_logits(BasicVariable<float>, View<const float>);
template BasicVariable<double> binary_cross_entropy_with_logits(BasicVariable<double>, View<const double>);

}  // namespace carousel
