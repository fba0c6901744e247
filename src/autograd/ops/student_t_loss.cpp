#include "autograd/ops/student_t_loss.h"

#include <numbers>

#include "autograd/ops/distribution_loss.h"
#include "autograd/ops/gamma_functions.h"
#include "autograd/ops/gaussian_loss.h"

namespace carousel {

template <class T>
BasicVariable<T> student_t_loss(BasicVariable<T> x, View<const T> target) {
  return detail::distribution_loss("student_t_loss", x, target, 3, [](const T* p, std::int64_t n, T t, T* derivative) {
    // In double: the gamma functions cancel for many degrees of freedom.
    const auto [d, d_slope] = detail::positive<double>(p[n], kLeastDeviation);
    const auto [v, v_slope] = detail::positive<double>(p[2 * n], kLeastFreedom);
    const double z = (static_cast<double>(t) - static_cast<double>(p[0])) / d, square = z * z;
    const double tail = std::log1p(square / v), share = (v + 1) * square / (v + square);
    if (derivative) {
      derivative[0] = static_cast<T>(-(v + 1) * z / (d * (v + square)));
      derivative[n] = static_cast<T>((1 - share) / d * d_slope);
      const double gamma = detail::digamma(v / 2) - detail::digamma((v + 1) / 2);
      derivative[2 * n] = static_cast<T>((gamma + 1 / v + tail - share / v) / 2 * v_slope);
    }
    return static_cast<T>(detail::log_gamma(v / 2) - detail::log_gamma((v + 1) / 2) +
                          std::log(v * std::numbers::pi) / 2 + std::log(d) + (v + 1) / 2 * tail);
  });
}

template BasicVariable<float> student_t_loss(BasicVariable<float>, View<const float>);
template BasicVariable<double> student_t_loss(BasicVariable<double>, View<const double>);

}  // namespace carousel
