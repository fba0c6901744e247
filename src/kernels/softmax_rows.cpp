#include "kernels/softmax_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax_rows.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/math-inl.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using M = SimdMath<D>;
using V = hn::Vec<D>;

float peak(const float* x, std::int64_t n) {
  const D d;
  V most = hn::Set(d, -std::numeric_limits<float>::infinity());
  for_each_vector(
      d, n, [&](auto lanes, std::int64_t k) HWY_ATTR { most = hn::Max(most, lanes.or_else(lanes.load(x + k), most)); });
  return hn::GetLane(hn::MaxOfLanes(d, most));
}

float powers(const float* x, std::int64_t n, float most, float* out) {
  const D d;
  const V shift = hn::Set(d, most), zero = hn::Zero(d);
  V sum = zero;
  for_each_vector(d, n, [&](auto lanes, std::int64_t k) HWY_ATTR {
    const V power = lanes.or_else(M::exp(lanes.load(x + k) - shift), zero);
    if (out) lanes.store(power, out + k);
    sum = sum + power;
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

void affine(const float* x, std::int64_t n, float factor, float shift, float* y) {
  const D d;
  const V by = hn::Set(d, factor), plus = hn::Set(d, shift);
  for_each_vector(
      d, n, [&](auto lanes, std::int64_t k) HWY_ATTR { lanes.store(hn::MulAdd(lanes.load(x + k), by, plus), y + k); });
}

void shifted(const float* x, std::int64_t n, float most, float shift, float* y) {
  const D d;
  const V first = hn::Set(d, most), second = hn::Set(d, shift);
  for_each_vector(
      d, n, [&](auto lanes, std::int64_t k) HWY_ATTR { lanes.store((lanes.load(x + k) - first) - second, y + k); });
}

float dot(const float* a, const float* b, std::int64_t n) {
  const D d;
  V sum = hn::Zero(d);
  for_each_vector(
      d, n, [&](auto lanes, std::int64_t k) HWY_ATTR { sum = hn::MulAdd(lanes.load(a + k), lanes.load(b + k), sum); });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

float total(const float* a, std::int64_t n) {
  const D d;
  V sum = hn::Zero(d);
  for_each_vector(d, n, [&](auto lanes, std::int64_t k) HWY_ATTR { sum = sum + lanes.load(a + k); });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

void softmax_gradient(const float* p, const float* dp, std::int64_t n, float mean, float* dx) {
  const D d;
  const V shift = hn::Set(d, mean);
  for_each_vector(d, n, [&](auto lanes, std::int64_t k) HWY_ATTR {
    lanes.store(lanes.load(p + k) * (lanes.load(dp + k) - shift), dx + k);
  });
}

void log_softmax_gradient(const float* log_p, const float* gradient, std::int64_t n, float sum, float* dx) {
  const D d;
  const V by = hn::Set(d, sum);
  for_each_vector(d, n, [&](auto lanes, std::int64_t k) HWY_ATTR {
    lanes.store(hn::NegMulAdd(M::exp(lanes.load(log_p + k)), by, lanes.load(gradient + k)), dx + k);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel::kernels {
namespace {

HWY_EXPORT(peak);
HWY_EXPORT(powers);
HWY_EXPORT(affine);
HWY_EXPORT(shifted);
HWY_EXPORT(dot);
HWY_EXPORT(total);
HWY_EXPORT(softmax_gradient);
HWY_EXPORT(log_softmax_gradient);

}  // namespace

float row_peak(const float* x, std::int64_t n) noexcept { return HWY_DYNAMIC_DISPATCH(peak)(x, n); }
float row_powers(const float* x, std::int64_t n, float most, float* out) noexcept {
  return HWY_DYNAMIC_DISPATCH(powers)(x, n, most, out);
}
void row_affine(const float* x, std::int64_t n, float factor, float shift, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(affine)(x, n, factor, shift, y);
}
void row_shift(const float* x, std::int64_t n, float most, float shift, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(shifted)(x, n, most, shift, y);
}
float row_dot(const float* a, const float* b, std::int64_t n) noexcept { return HWY_DYNAMIC_DISPATCH(dot)(a, b, n); }
float row_sum(const float* a, std::int64_t n) noexcept { return HWY_DYNAMIC_DISPATCH(total)(a, n); }
void row_softmax_gradient(const float* p, const float* dp, std::int64_t n, float mean, float* dx) noexcept {
  HWY_DYNAMIC_DISPATCH(softmax_gradient)(p, dp, n, mean, dx);
}
void row_log_softmax_gradient(const float* log_p, const float* d, std::int64_t n, float sum, float* dx) noexcept {
  HWY_DYNAMIC_DISPATCH(log_softmax_gradient)(log_p, d, n, sum, dx);
}

// The double versions, in the order of the definition.
double row_peak(const double* x, std::int64_t n) noexcept {
  double peak = x[0];
  for (std::int64_t k = 1; k < n; ++k) peak = std::max(peak, x[k]);
  return peak;
}
double row_powers(const double* x, std::int64_t n, double peak, double* powers) noexcept {
  double sum = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    const double power = std::exp(x[k] - peak);
    if (powers) powers[k] = power;
    sum += power;
  }
  return sum;
}
void row_affine(const double* x, std::int64_t n, double factor, double shift, double* y) noexcept {
  for (std::int64_t k = 0; k < n; ++k) y[k] = x[k] * factor + shift;
}
void row_shift(const double* x, std::int64_t n, double peak, double shift, double* y) noexcept {
  for (std::int64_t k = 0; k < n; ++k) y[k] = (x[k] - peak) - shift;
}
double row_dot(const double* a, const double* b, std::int64_t n) noexcept {
  double sum = 0;
  for (std::int64_t k = 0; k < n; ++k) sum += a[k] * b[k];
  return sum;
}
double row_sum(const double* a, std::int64_t n) noexcept {
  double sum = 0;
  for (std::int64_t k = 0; k < n; ++k) sum += a[k];
  return sum;
}
void row_softmax_gradient(const double* p, const double* dp, std::int64_t n, double mean, double* dx) noexcept {
  for (std::int64_t k = 0; k < n; ++k) dx[k] = p[k] * (dp[k] - mean);
}
void row_log_softmax_gradient(const double* log_p, const double* d, std::int64_t n, double sum, double* dx) noexcept {
  for (std::int64_t k = 0; k < n; ++k) dx[k] = d[k] - std::exp(log_p[k]) * sum;
}

}  // namespace carousel::kernels
#endif  // HWY_ONCE
