#include "cells/matrix_step.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/pointwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cells/matrix_step.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/vectors-inl.h"

#ifndef CAROUSEL_CELLS_MATRIX_STEP_ONCE
#define CAROUSEL_CELLS_MATRIX_STEP_ONCE
namespace carousel {

// What a step does to the memory of one head: C = f C + i v k^T, n = f n + i k; y = C q, and n q is returned.
template <class T>
struct HeadStep {
  std::int64_t size;  // d
  T f, i;
  const T *q, *k, *v;
  T *C, *n, *y;
};

}  // namespace carousel
#endif

HWY_BEFORE_NAMESPACE();
namespace carousel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// R rows of C: row r becomes f row + by[r] k, and y[r] is what it gives for q.
template <int R>
HWY_INLINE void step_rows(const HeadStep<float>& s, float* rows, const float* by, float* y) {
  const hn::ScalableTag<float> d;
  const auto f = hn::Set(d, s.f);
  hn::Vec<decltype(d)> sum[R];
  for (int r = 0; r < R; ++r) sum[r] = hn::Zero(d);
  kernels::HWY_NAMESPACE::for_each_vector(d, s.size, [&](auto lanes, std::int64_t j) HWY_ATTR {
    const auto k = lanes.load(s.k + j), q = lanes.load(s.q + j);
    for (int r = 0; r < R; ++r) {
      const auto next = hn::MulAdd(hn::Set(d, by[r]), k, f * lanes.load(rows + r * s.size + j));
      lanes.store(next, rows + r * s.size + j);
      sum[r] = hn::MulAdd(next, q, sum[r]);
    }
  });
  for (int r = 0; r < R; ++r) y[r] = hn::GetLane(hn::SumOfLanes(d, sum[r]));
}

float step_head(const HeadStep<float>& s) {
  constexpr int kRows = 4;  // as many sums hide their latency
  float by[kRows], product;
  std::int64_t row = 0;
  for (; row + kRows <= s.size; row += kRows) {
    for (int r = 0; r < kRows; ++r) by[r] = s.i * s.v[row + r];
    step_rows<kRows>(s, s.C + row * s.size, by, s.y + row);
  }
  for (; row < s.size; ++row) {
    by[0] = s.i * s.v[row];
    step_rows<1>(s, s.C + row * s.size, by, s.y + row);
  }
  step_rows<1>(s, s.n, &s.i, &product);
  return product;
}

}  // namespace HWY_NAMESPACE
}  // namespace carousel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel {
namespace {

HWY_EXPORT(step_head);

float run_head(const HeadStep<float>& s) { return HWY_DYNAMIC_DISPATCH(step_head)(s); }

double run_head(const HeadStep<double>& s) {
  double product = 0;
  for (std::int64_t j = 0; j < s.size; ++j) {
    s.n[j] = s.f * s.n[j] + s.i * s.k[j];
    product += s.n[j] * s.q[j];
  }
  for (std::int64_t row = 0; row < s.size; ++row) {
    double* C = s.C + row * s.size;
    s.y[row] = 0;
    for (std::int64_t j = 0; j < s.size; ++j) {
      C[j] = s.f * C[j] + s.i * s.v[row] * s.k[j];
      s.y[row] += C[j] * s.q[j];
    }
  }
  return product;
}

template <class T>
std::span<T> numbers(T* data, std::int64_t count) {
  return {data, static_cast<std::size_t>(count)};
}

template <class T>
std::span<const T> values(const T* data, std::int64_t count) {
  return {data, static_cast<std::size_t>(count)};
}

}  // namespace

std::int64_t matrix_step_workspace(std::int64_t hidden_size, std::int64_t heads) noexcept {
  return 5 * hidden_size + 4 * heads;
}

template <class T>
void log_forget(MatrixMemory memory, std::int64_t count, const T* a, T* out) noexcept {
  if (memory == MatrixMemory::kExponentialForget) {
    std::copy_n(a, count, out);
    return;
  }
  // log sigmoid(a) = min(a, 0) - log(1 + exp(-|a|)), in pieces that a small array holds
  constexpr std::int64_t kPiece = 64;
  T least[kPiece], rest[kPiece];
  for (std::int64_t first = 0; first < count; first += kPiece) {
    const std::int64_t size = std::min(kPiece, count - first);
    for (std::int64_t j = 0; j < size; ++j) {
      least[j] = std::min(a[first + j], T(0));
      rest[j] = -std::abs(a[first + j]);
    }
    kernels::exp(values(rest, size), numbers(rest, size));
    for (std::int64_t j = 0; j < size; ++j) rest[j] += T(1);
    kernels::log(values(rest, size), numbers(rest, size));
    for (std::int64_t j = 0; j < size; ++j) out[first + j] = least[j] - rest[j];
  }
}

template <class T>
void matrix_step(const MatrixStep<T>& s) noexcept {
  const std::int64_t H = s.hidden_size, heads = s.heads, d = H / heads;
  T *q = s.workspace, *k = q + H, *v = k + H, *o = v + H, *i = o + H, *f = i + heads;
  T *y = f + heads, *least = y + H, *log_f = least + heads;
  T* m = s.state[3];
  for (std::int64_t j = 0; j < 4 * H + 2 * heads; ++j) q[j] = s.a[j];
  const T scale = T(1) / std::sqrt(static_cast<T>(d));
  for (std::int64_t j = 0; j < H; ++j) k[j] *= scale;
  for (std::int64_t j = 0; s.bias && j < 4 * H + 2 * heads; ++j) q[j] += s.bias[j];
  kernels::sigmoid(values(o, H), numbers(o, H));
  log_forget(s.memory, heads, f, log_f);
  for (std::int64_t head = 0; head < heads; ++head) {
    const T next = std::max(log_f[head] + m[head], i[head]);
    f[head] = log_f[head] + m[head] - next;
    i[head] -= next;
    m[head] = next;
    least[head] = -next;
  }
  kernels::exp(values(i, heads), numbers(i, heads));
  kernels::exp(values(f, heads), numbers(f, heads));
  kernels::exp(values(least, heads), numbers(least, heads));
  for (std::int64_t head = 0; head < heads; ++head) {
    const std::int64_t at = head * d;
    const T product = run_head({.size = d,
                                .f = f[head],
                                .i = i[head],
                                .q = q + at,
                                .k = k + at,
                                .v = v + at,
                                .C = s.state[1] + at * d,
                                .n = s.state[2] + at,
                                .y = y + at});
    const T bound = std::max({std::abs(product), least[head], std::numeric_limits<T>::min()});  // 0 / 0 is 0
    for (std::int64_t j = at; j < at + d; ++j) s.state[0][j] = o[j] * y[j] / bound;
  }
}

template void log_forget(MatrixMemory, std::int64_t, const float*, float*) noexcept;
template void log_forget(MatrixMemory, std::int64_t, const double*, double*) noexcept;
template void matrix_step(const MatrixStep<float>&) noexcept;
template void matrix_step(const MatrixStep<double>&) noexcept;

}  // namespace carousel
#endif
