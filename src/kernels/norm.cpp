#include "kernels/norm.h"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/norm.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
struct Moments {
  T mean, scale;
};

template <class T>
HWY_INLINE Moments<T> moments_of(const T* x, std::int64_t n, double epsilon) {
  const hn::ScalableTag<T> d;
  auto sum = hn::Zero(d), squares = hn::Zero(d);
  for_each_vector(d, n, [&](auto lanes, std::int64_t j) HWY_ATTR { sum = sum + lanes.load(x + j); });
  const T mean = hn::GetLane(hn::SumOfLanes(d, sum)) / static_cast<T>(n);
  const auto means = hn::Set(d, mean);
  for_each_vector(d, n, [&](auto lanes, std::int64_t j) HWY_ATTR {
    const auto off = lanes.or_else(lanes.load(x + j) - means, hn::Zero(d));
    squares = hn::MulAdd(off, off, squares);
  });
  const T variance = hn::GetLane(hn::SumOfLanes(d, squares)) / static_cast<T>(n);
  return {mean, T{1} / std::sqrt(variance + static_cast<T>(epsilon))};
}

template <class T>
HWY_INLINE void normalise(const LayerNorm<T>& job, std::int64_t row) {
  const hn::ScalableTag<T> d;
  const std::int64_t n = job.n;
  const T* x = job.x + row * n;
  T* y = job.y + row * n;
  const auto [mean, scale] = moments_of(x, n, job.epsilon);
  const auto means = hn::Set(d, mean), scales = hn::Set(d, scale);
  for_each_vector(d, n, [&](auto lanes, std::int64_t j) HWY_ATTR {
    const auto u = (lanes.load(x + j) - means) * scales;
    lanes.store(hn::MulAdd(lanes.load(job.gain + j), u, lanes.load(job.bias + j)), y + j);
  });
  job.mean[row] = mean;
  job.scale[row] = scale;
}

template <class T>
HWY_INLINE T normalise_one(const T* x, std::int64_t n, double epsilon, T* u) {
  const hn::ScalableTag<T> d;
  const auto [mean, scale] = moments_of(x, n, epsilon);
  const auto means = hn::Set(d, mean), scales = hn::Set(d, scale);
  for_each_vector(
      d, n, [&](auto lanes, std::int64_t j) HWY_ATTR { lanes.store((lanes.load(x + j) - means) * scales, u + j); });
  return scale;
}

template <class T>
HWY_INLINE void normalise_one_backward(const T* u, T r, std::int64_t n, T* slope) {
  const hn::ScalableTag<T> d;
  auto sum = hn::Zero(d), product = hn::Zero(d);
  for_each_vector(d, n, [&](auto lanes, std::int64_t j) HWY_ATTR {
    const auto one = lanes.load(slope + j);
    sum = sum + one;
    product = hn::MulAdd(one, lanes.load(u + j), product);
  });
  const auto mean_slope = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, sum)) / static_cast<T>(n));
  const auto mean_product = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, product)) / static_cast<T>(n));
  const auto scale = hn::Set(d, r);
  for_each_vector(d, n, [&](auto lanes, std::int64_t j) HWY_ATTR {
    lanes.store(scale * hn::NegMulAdd(lanes.load(u + j), mean_product, lanes.load(slope + j) - mean_slope), slope + j);
  });
}

template <class T>
HWY_INLINE void input_gradient(const LayerNormBackward<T>& job, std::int64_t row) {
  const hn::ScalableTag<T> d;
  const std::int64_t n = job.n;
  const T *x = job.x + row * n, *dy = job.dy + row * n;
  T* dx = job.dx + row * n;
  const auto mean = hn::Set(d, job.mean[row]), scale = hn::Set(d, job.scale[row]);
  auto sum = hn::Zero(d), product = hn::Zero(d);
  for_each_vector(d, n, [&](auto lanes, std::int64_t j) HWY_ATTR {
    const auto slope = lanes.load(job.gain + j) * lanes.load(dy + j);  // 0 beyond the row
    sum = sum + slope;
    product = hn::MulAdd(slope, (lanes.load(x + j) - mean) * scale, product);
  });
  const auto mean_slope = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, sum)) / static_cast<T>(n));
  const auto mean_product = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, product)) / static_cast<T>(n));
  const auto add = hn::Set(d, job.beta_x);
  for_each_vector(d, n, [&](auto lanes, std::int64_t j) HWY_ATTR {
    const auto u = (lanes.load(x + j) - mean) * scale, slope = lanes.load(job.gain + j) * lanes.load(dy + j);
    const auto share = scale * hn::NegMulAdd(u, mean_product, slope - mean_slope);
    lanes.store(job.beta_x == T{0} ? share : hn::MulAdd(add, lanes.load(dx + j), share), dx + j);
  });
}

// dgain of the columns first .. first + columns; rows in ascending order, 64 at a time into a sum of their own.
template <class T>
HWY_INLINE void gain_gradient(const LayerNormBackward<T>& job, std::int64_t first, std::int64_t columns) {
  constexpr std::int64_t kRun = 64;
  const hn::ScalableTag<T> d;
  for_each_vector(d, columns, [&](auto lanes, std::int64_t offset) HWY_ATTR {
    const std::int64_t j = first + offset;
    auto total = job.beta_gain == T{0} ? hn::Zero(d) : lanes.load(job.dgain + j);
    for (std::int64_t run = 0; run < job.rows; run += kRun) {
      auto sum = hn::Zero(d);
      for (std::int64_t i = run; i < std::min(job.rows, run + kRun); ++i) {
        const auto u = (lanes.load(job.x + i * job.n + j) - hn::Set(d, job.mean[i])) * hn::Set(d, job.scale[i]);
        sum = hn::MulAdd(lanes.load(job.dy + i * job.n + j), u, sum);
      }
      total = total + sum;
    }
    lanes.store(total, job.dgain + j);
  });
}

void forward_float(const LayerNorm<float>& job, std::int64_t row) { normalise(job, row); }
void forward_double(const LayerNorm<double>& job, std::int64_t row) { normalise(job, row); }
void input_float(const LayerNormBackward<float>& job, std::int64_t row) { input_gradient(job, row); }
void input_double(const LayerNormBackward<double>& job, std::int64_t row) { input_gradient(job, row); }
void gain_float(const LayerNormBackward<float>& job, std::int64_t first, std::int64_t columns) {
  gain_gradient(job, first, columns);
}
void gain_double(const LayerNormBackward<double>& job, std::int64_t first, std::int64_t columns) {
  gain_gradient(job, first, columns);
}
float one_float(const float* x, std::int64_t n, double epsilon, float* u) { return normalise_one(x, n, epsilon, u); }
double one_double(const double* x, std::int64_t n, double epsilon, double* u) {
  return normalise_one(x, n, epsilon, u);
}
void one_backward_float(const float* u, float r, std::int64_t n, float* d) { normalise_one_backward(u, r, n, d); }
void one_backward_double(const double* u, double r, std::int64_t n, double* d) { normalise_one_backward(u, r, n, d); }

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel::kernels {
namespace {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_double);
HWY_EXPORT(input_float);
HWY_EXPORT(input_double);
HWY_EXPORT(gain_float);
HWY_EXPORT(gain_double);
HWY_EXPORT(one_float);
HWY_EXPORT(one_double);
HWY_EXPORT(one_backward_float);
HWY_EXPORT(one_backward_double);

void forward(const LayerNorm<float>& job, std::int64_t row) { HWY_DYNAMIC_DISPATCH(forward_float)(job, row); }
void forward(const LayerNorm<double>& job, std::int64_t row) { HWY_DYNAMIC_DISPATCH(forward_double)(job, row); }
void input(const LayerNormBackward<float>& job, std::int64_t row) { HWY_DYNAMIC_DISPATCH(input_float)(job, row); }
void input(const LayerNormBackward<double>& job, std::int64_t row) { HWY_DYNAMIC_DISPATCH(input_double)(job, row); }
void gain(const LayerNormBackward<float>& job, std::int64_t first, std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(gain_float)(job, first, columns);
}
void gain(const LayerNormBackward<double>& job, std::int64_t first, std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(gain_double)(job, first, columns);
}

// Calls f(row) for every row, about 16 thousand elements to a task.
template <class F>
void for_rows(std::int64_t rows, std::int64_t n, const F& f) {
  const std::int64_t group = std::max<std::int64_t>(1, 16384 / n);
  parallel_for((rows + group - 1) / group, [&](std::int64_t index) {
    const std::int64_t end = std::min(rows, (index + 1) * group);
    for (std::int64_t row = index * group; row < end; ++row) f(row);
  });
}

}  // namespace

template <class T>
void layer_norm(const LayerNorm<T>& job) {
  if (job.n == 0) return;
  for_rows(job.rows, job.n, [&](std::int64_t row) { forward(job, row); });
}

template <class T>
void layer_norm_backward(const LayerNormBackward<T>& job) {
  if (job.n == 0) return;
  if (job.dx) for_rows(job.rows, job.n, [&](std::int64_t row) { input(job, row); });
  if (job.dgain) {
    constexpr std::int64_t kColumns = 64;
    parallel_for((job.n + kColumns - 1) / kColumns, [&](std::int64_t index) {
      gain(job, index * kColumns, std::min(kColumns, job.n - index * kColumns));
    });
  }
  if (job.dbias) column_sums(job.rows, job.n, job.dy, job.n, job.beta_bias, job.dbias);
}

template <>
float normalise_row(const float* x, std::int64_t n, double epsilon, float* u) noexcept {
  return HWY_DYNAMIC_DISPATCH(one_float)(x, n, epsilon, u);
}
template <>
double normalise_row(const double* x, std::int64_t n, double epsilon, double* u) noexcept {
  return HWY_DYNAMIC_DISPATCH(one_double)(x, n, epsilon, u);
}
template <>
void normalise_row_backward(const float* u, float r, std::int64_t n, float* d) noexcept {
  HWY_DYNAMIC_DISPATCH(one_backward_float)(u, r, n, d);
}
template <>
void normalise_row_backward(const double* u, double r, std::int64_t n, double* d) noexcept {
  HWY_DYNAMIC_DISPATCH(one_backward_double)(u, r, n, d);
}

template void layer_norm(const LayerNorm<float>&);
template void layer_norm(const LayerNorm<double>&);
template void layer_norm_backward(const LayerNormBackward<float>&);
template void layer_norm_backward(const LayerNormBackward<double>&);

}  // namespace carousel::kernels
#endif  // HWY_ONCE
