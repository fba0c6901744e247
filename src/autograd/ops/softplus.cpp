#include "autograd/ops/softplus.h"

#include <cmath>

#include "autograd/ops/activation.h"

namespace carousel {
namespace {

template <class T>
void softplus_of(std::span<const T> in, std::span<T> out) noexcept {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = std::max(in[i], T(0)) + std::log1p(std::exp(-std::abs(in[i])));
}

}  // namespace

template <class T>
BasicVariable<T> softplus(BasicVariable<T> x) {
  return detail::activation<T>(x, softplus_of<T>, [](T y, T dy) { return -std::expm1(-y) * dy; });
}

template BasicVariable<float> softplus(BasicVariable<float>);
template BasicVariable<double> softplus(BasicVariable<double>);

}  // namespace carousel
