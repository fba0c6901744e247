#include "autograd/ops/quantile_loss.h"

#include "autograd/ops/distribution_loss.h"

namespace carousel {

std::int64_t middle_level(std::span<const double> levels) {
  const auto distance = [](double level) { return std::abs(level - 0.5); };
  return std::ranges::min_element(levels, {}, distance) - levels.begin();
}

namespace {

// The loss of the quantiles from the middle one on in one direction; returns the sum of dl/dq of all of them.
// `steps[r n]` is the step to the r-th one.
template <class T>
T pinball_chain(T quantile, std::span<const double> levels, bool up, const T* steps, std::int64_t n, T target,
                T* derivative, T& loss) {
  if (levels.empty()) return 0;
  const auto [step, slope] = detail::positive(steps[0], 0);
  const T next = up ? quantile + step : quantile - step;
  const T level = static_cast<T>(up ? levels.front() : levels.back()), error = target - next;
  loss += std::max(level * error, (level - 1) * error);
  const auto rest = up ? levels.subspan(1) : levels.first(levels.size() - 1);
  const T sum = (error < 0 ? 1 - level : -level) +
                pinball_chain(next, rest, up, steps + n, n, target, derivative ? derivative + n : nullptr, loss);
  if (derivative) *derivative = (up ? sum : -sum) * slope;
  return sum;
}

}  // namespace

template <class T>
BasicVariable<T> quantile_loss(BasicVariable<T> x, View<const T> target, std::span<const double> levels) {
  const auto middle = static_cast<std::size_t>(middle_level(levels)), count = levels.size();
  const auto above = static_cast<std::int64_t>(count - middle);  // the first step down
  const auto element = [=](const T* p, std::int64_t n, T t, T* derivative) {
    const T level = static_cast<T>(levels[middle]), error = t - p[0];
    T loss = std::max(level * error, (level - 1) * error);
    T* up = derivative ? derivative + n : nullptr;
    T* down = derivative ? derivative + above * n : nullptr;
    const T total = (error < 0 ? 1 - level : -level) +
                    pinball_chain(p[0], levels.subspan(middle + 1), true, p + n, n, t, up, loss) +
                    pinball_chain(p[0], levels.first(middle), false, p + above * n, n, t, down, loss);
    const T share = 1 / static_cast<T>(count);
    if (!derivative) return loss * share;
    derivative[0] = total;
    for (std::int64_t k = 0; k < static_cast<std::int64_t>(count); ++k) derivative[k * n] *= share;
    return loss * share;
  };
  return detail::distribution_loss("quantile_loss", x, target, static_cast<std::int64_t>(count), element);
}

template BasicVariable<float> quantile_loss(BasicVariable<float>, View<const float>, std::span<const double>);
template BasicVariable<double> quantile_loss(BasicVariable<double>, View<const double>, std::span<const double>);

}  // namespace carousel
