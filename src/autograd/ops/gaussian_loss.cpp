#include "autograd/ops/gaussian_loss.h"

#include "autograd/ops/distribution_loss.h"

namespace carousel {

template <class T>
BasicVariable<T> gaussian_loss(BasicVariable<T> x, View<const T> target) {
  return detail::distribution_loss("gaussian_loss", x, target, 2, [](const T* p, std::int64_t n, T t, T* derivative) {
    const auto [deviation, slope] = detail::positive(p[n], kLeastDeviation);
    const T z = (t - p[0]) / deviation;
    if (derivative) {
      derivative[0] = -z / deviation;
      derivative[n] = (1 - z * z) / deviation * slope;
    }
    constexpr T kHalfLogTwoPi = static_cast<T>(0.91893853320467274178);
    return std::log(deviation) + z * z / 2 + kHalfLogTwoPi;
  });
}

template BasicVariable<float> gaussian_loss(BasicVariable<float>, View<const float>);
template BasicVariable<double> gaussian_loss(BasicVariable<double>, View<const double>);

}  // namespace carousel
