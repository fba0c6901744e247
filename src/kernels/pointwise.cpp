#include "kernels/pointwise.h"

#include <algorithm>
#include <cstddef>

#include "kernels/scalar_math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pointwise.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using M = SimdMath<D>;
using V = hn::Vec<D>;

template <V (*kFunction)(V)>
HWY_INLINE void apply(const float* in, float* out, std::size_t count) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(kFunction(hn::LoadU(d, in + i)), d, out + i);
  if (i == count) return;
  // The rest by way of a full vector, so that an element's value does not depend on its place.
  HWY_ALIGN float rest[hn::MaxLanes(D())] = {};
  for (std::size_t j = i; j < count; ++j) rest[j - i] = in[j];
  hn::Store(kFunction(hn::Load(d, rest)), d, rest);
  for (std::size_t j = i; j < count; ++j) out[j] = rest[j - i];
}

void exp_floats(const float* in, float* out, std::size_t count) { apply<M::exp>(in, out, count); }
void log_floats(const float* in, float* out, std::size_t count) { apply<M::log>(in, out, count); }
void tanh_floats(const float* in, float* out, std::size_t count) { apply<M::tanh>(in, out, count); }
void sigmoid_floats(const float* in, float* out, std::size_t count) { apply<M::sigmoid>(in, out, count); }
void relu_floats(const float* in, float* out, std::size_t count) { apply<M::relu>(in, out, count); }

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel::kernels {
namespace {

HWY_EXPORT(exp_floats);
HWY_EXPORT(log_floats);
HWY_EXPORT(tanh_floats);
HWY_EXPORT(sigmoid_floats);
HWY_EXPORT(relu_floats);

template <double (*kFunction)(double)>
void apply_scalar(std::span<const double> in, std::span<double> out) noexcept {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = kFunction(in[i]);
}

using Scalar = ScalarMath<double>;

constexpr double kGeluSlope = 1.5957691216057308, kGeluCube = 0.044715;  // 2 sqrt(2 / pi)

// out[i] = value(x, sigmoid(2 u)) for a few elements at a time, so that out may be the memory of in.
template <class T, class F>
void apply_gelu(std::span<const T> in, std::span<T> out, F value) noexcept {
  constexpr std::size_t kAtATime = 256;
  T gate[kAtATime];
  for (std::size_t begin = 0; begin < in.size(); begin += kAtATime) {
    const std::size_t count = std::min(kAtATime, in.size() - begin);
    const T* x = in.data() + begin;
    for (std::size_t i = 0; i < count; ++i) gate[i] = T(kGeluSlope) * (x[i] + T(kGeluCube) * (x[i] * x[i] * x[i]));
    sigmoid(std::span<const T>(gate, count), std::span<T>(gate, count));
    for (std::size_t i = 0; i < count; ++i) out[begin + i] = value(x[i], gate[i]);
  }
}

template <class T>
void gelu_of(std::span<const T> in, std::span<T> out) noexcept {
  apply_gelu(in, out, [](T x, T gate) { return x * gate; });
}

template <class T>
void gelu_derivative_of(std::span<const T> in, std::span<T> out) noexcept {
  apply_gelu(in, out, [](T x, T gate) {
    return gate + x * gate * (T(1) - gate) * T(kGeluSlope) * (T(1) + T(3 * kGeluCube) * x * x);
  });
}

}  // namespace

void exp(std::span<const float> in, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(exp_floats)(in.data(), out.data(), in.size());
}
void log(std::span<const float> in, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(log_floats)(in.data(), out.data(), in.size());
}
void tanh(std::span<const float> in, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(tanh_floats)(in.data(), out.data(), in.size());
}
void sigmoid(std::span<const float> in, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(sigmoid_floats)(in.data(), out.data(), in.size());
}
void relu(std::span<const float> in, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(relu_floats)(in.data(), out.data(), in.size());
}

void exp(std::span<const double> in, std::span<double> out) noexcept { apply_scalar<Scalar::exp>(in, out); }
void log(std::span<const double> in, std::span<double> out) noexcept { apply_scalar<Scalar::log>(in, out); }
void tanh(std::span<const double> in, std::span<double> out) noexcept { apply_scalar<Scalar::tanh>(in, out); }
void sigmoid(std::span<const double> in, std::span<double> out) noexcept { apply_scalar<Scalar::sigmoid>(in, out); }
void relu(std::span<const double> in, std::span<double> out) noexcept { apply_scalar<Scalar::relu>(in, out); }

void gelu(std::span<const float> in, std::span<float> out) noexcept { gelu_of(in, out); }
void gelu(std::span<const double> in, std::span<double> out) noexcept { gelu_of(in, out); }
void gelu_derivative(std::span<const float> in, std::span<float> out) noexcept { gelu_derivative_of(in, out); }
void gelu_derivative(std::span<const double> in, std::span<double> out) noexcept { gelu_derivative_of(in, out); }

}  // namespace carousel::kernels
#endif  // HWY_ONCE
