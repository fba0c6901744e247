#include "autograd/ops/negative_binomial_loss.h"

#include "autograd/ops/distribution_loss.h"
#include "autograd/ops/gamma_functions.h"

namespace carousel {

template <class T>
BasicVariable<T> negative_binomial_loss(BasicVariable<T> x, View<const T> target, const CountUnits<T>& units) {
  detail::check_same_shape("negative_binomial_loss", "shift", units.shift.shape, target.shape);
  detail::check_same_shape("negative_binomial_loss", "slope", units.slope.shape, target.shape);
  const T *base = x.value().data, *shift = units.shift.data, *slope = units.slope.data;
  const auto element = [=](const T* p, std::int64_t n, T count, T* derivative) {
    const std::int64_t place = p - base, i = place / (2 * n) * n + place % n;
    const auto [mean, mean_slope] = count_mean(p[0], shift[i], slope[i]);
    const auto [a, a_slope] = detail::positive<double>(p[n], kLeastDispersion);
    const double t = count, r = 1 / a, spread = 1 + a * mean, log_spread = std::log1p(a * mean);
    if (derivative) {
      derivative[0] = static_cast<T>((mean - t) / (mean * spread) * mean_slope);
      const double gamma = detail::digamma(t + r) - detail::digamma(r) - log_spread;
      derivative[n] = static_cast<T>((r * r * gamma + (t + r) * mean / spread - t * r) * a_slope);
    }
    return static_cast<T>(detail::log_gamma(r) + detail::log_gamma(t + 1) - detail::log_gamma(t + r) +
                          (t + r) * log_spread - t * std::log(a * mean));
  };
  return detail::distribution_loss("negative_binomial_loss", x, target, 2, element);
}

template BasicVariable<float> negative_binomial_loss(BasicVariable<float>, View<const float>, const CountUnits<float>&);
template BasicVariable<double> negative_binomial_loss(BasicVariable<double>, View<const double>,
                                                      const CountUnits<double>&);

}  // namespace carousel
