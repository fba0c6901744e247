#include "kernels/reduce.h"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/reduce.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

double squares_float(const float* x, std::int64_t count) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto even = hn::Zero(d), odd = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto a = hn::PromoteTo(d, hn::LoadU(narrow, x + i)), b = hn::PromoteTo(d, hn::LoadU(narrow, x + i + lanes));
    even = hn::MulAdd(a, a, even);
    odd = hn::MulAdd(b, b, odd);
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, even + odd));
  for (; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

double squares_double(const double* x, std::int64_t count) {
  const hn::ScalableTag<double> d;
  auto sum = hn::Zero(d);
  for_each_vector(d, count, [&](auto lanes, std::int64_t i) HWY_ATTR {
    const auto value = lanes.load(x + i);
    sum = hn::MulAdd(value, value, sum);
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

template <class T>
HWY_INLINE void scale_span(T* x, std::int64_t count, T factor) {
  const hn::ScalableTag<T> d;
  const auto by = hn::Set(d, factor);
  for_each_vector(d, count, [&](auto lanes, std::int64_t i) HWY_ATTR { lanes.store(lanes.load(x + i) * by, x + i); });
}
void scale_float(float* x, std::int64_t count, float factor) { scale_span(x, count, factor); }
void scale_double(double* x, std::int64_t count, double factor) { scale_span(x, count, factor); }

// x - x is 0 for a finite x and NaN otherwise; NaN stays in a sum.
template <class T>
HWY_INLINE bool all_finite(const T* x, std::int64_t count) {
  const hn::ScalableTag<T> d;
  auto sum = hn::Zero(d);
  for_each_vector(d, count, [&](auto lanes, std::int64_t i) HWY_ATTR {
    const auto value = lanes.load(x + i);
    sum = sum + (value - value);
  });
  return hn::GetLane(hn::SumOfLanes(d, sum)) == T{0};
}
bool finite_float(const float* x, std::int64_t count) { return all_finite(x, count); }
bool finite_double(const double* x, std::int64_t count) { return all_finite(x, count); }

// Four vectors of columns walk down the rows together.
template <class T>
HWY_INLINE void sum_columns(std::int64_t rows, std::int64_t columns, const T* x, std::int64_t ldx, bool add, T* out) {
  constexpr std::int64_t kRun = 64;
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto sum_vectors = [&](auto part, std::int64_t j) HWY_ATTR {
    auto total = add ? part.load(out + j) : hn::Zero(d);
    for (std::int64_t first = 0; first < rows; first += kRun) {
      const std::int64_t end = std::min(rows, first + kRun);
      auto sum = hn::Zero(d);
      for (std::int64_t i = first; i < end; ++i) sum = sum + part.load(x + i * ldx + j);
      total = total + sum;
    }
    part.store(total, out + j);
  };
  std::int64_t j = 0;
  for (; j + 4 * lanes <= columns; j += 4 * lanes) {
    hn::Vec<decltype(d)> total[4];
    for (int v = 0; v < 4; ++v) total[v] = add ? hn::LoadU(d, out + j + v * lanes) : hn::Zero(d);
    for (std::int64_t first = 0; first < rows; first += kRun) {
      const std::int64_t end = std::min(rows, first + kRun);
      hn::Vec<decltype(d)> sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      for (std::int64_t i = first; i < end; ++i) {
        for (int v = 0; v < 4; ++v) sum[v] = sum[v] + hn::LoadU(d, x + i * ldx + j + v * lanes);
      }
      for (int v = 0; v < 4; ++v) total[v] = total[v] + sum[v];
    }
    for (int v = 0; v < 4; ++v) hn::StoreU(total[v], d, out + j + v * lanes);
  }
  for_each_vector(d, columns - j, [&](auto part, std::int64_t i) HWY_ATTR { sum_vectors(part, j + i); });
}
void columns_float(std::int64_t rows, std::int64_t columns, const float* x, std::int64_t ldx, bool add, float* out) {
  sum_columns(rows, columns, x, ldx, add, out);
}
void columns_double(std::int64_t rows, std::int64_t columns, const double* x, std::int64_t ldx, bool add, double* out) {
  sum_columns(rows, columns, x, ldx, add, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel::kernels {
namespace {

HWY_EXPORT(squares_float);
HWY_EXPORT(squares_double);
HWY_EXPORT(scale_float);
HWY_EXPORT(scale_double);
HWY_EXPORT(finite_float);
HWY_EXPORT(finite_double);
HWY_EXPORT(columns_float);
HWY_EXPORT(columns_double);

constexpr std::int64_t kBlock = 16384;       // elements of one task
constexpr std::int64_t kBlocksAtOnce = 256;  // partial results that are kept on the stack
constexpr std::int64_t kColumns = 64;        // columns of one task

double squares(const float* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(squares_float)(x, n); }
double squares(const double* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(squares_double)(x, n); }
void scale_part(float* x, std::int64_t n, float factor) { HWY_DYNAMIC_DISPATCH(scale_float)(x, n, factor); }
void scale_part(double* x, std::int64_t n, double factor) { HWY_DYNAMIC_DISPATCH(scale_double)(x, n, factor); }
bool finite(const float* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(finite_float)(x, n); }
bool finite(const double* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(finite_double)(x, n); }
void columns(std::int64_t rows, std::int64_t n, const float* x, std::int64_t ldx, bool add, float* out) {
  HWY_DYNAMIC_DISPATCH(columns_float)(rows, n, x, ldx, add, out);
}
void columns(std::int64_t rows, std::int64_t n, const double* x, std::int64_t ldx, bool add, double* out) {
  HWY_DYNAMIC_DISPATCH(columns_double)(rows, n, x, ldx, add, out);
}

// Calls f(first, length, slot) for every block of `count` elements from `begin`, up to kBlocksAtOnce of them, on the
// thread pool; returns how many elements that were.
template <class F>
std::int64_t for_some_blocks(std::int64_t begin, std::int64_t count, const F& f) {
  const std::int64_t length = std::min(count - begin, kBlock * kBlocksAtOnce);
  parallel_for((length + kBlock - 1) / kBlock,
               [&](std::int64_t slot) { f(begin + slot * kBlock, std::min(kBlock, length - slot * kBlock), slot); });
  return length;
}

template <class T>
double sum_of_squares_of(std::span<const T> x) {
  const auto count = static_cast<std::int64_t>(x.size());
  double partial[kBlocksAtOnce], sum = 0;
  for (std::int64_t begin = 0, length = 0; begin < count; begin += length) {
    length = for_some_blocks(begin, count, [&](std::int64_t first, std::int64_t n, std::int64_t slot) {
      partial[slot] = squares(x.data() + first, n);
    });
    for (std::int64_t slot = 0; slot * kBlock < length; ++slot) sum += partial[slot];
  }
  return sum;
}

template <class T>
std::int64_t first_non_finite_of(std::span<const T> x) {
  const auto count = static_cast<std::int64_t>(x.size());
  bool good[kBlocksAtOnce];
  for (std::int64_t begin = 0, length = 0; begin < count; begin += length) {
    length = for_some_blocks(begin, count, [&](std::int64_t first, std::int64_t n, std::int64_t slot) {
      good[slot] = finite(x.data() + first, n);
    });
    for (std::int64_t slot = 0; slot * kBlock < length; ++slot) {
      if (good[slot]) continue;
      const auto bad =
          std::find_if(x.begin() + begin + slot * kBlock, x.end(), [](T value) { return !std::isfinite(value); });
      return bad - x.begin();
    }
  }
  return -1;
}

template <class T>
void scale_all(std::span<T> x, T factor) {
  const auto count = static_cast<std::int64_t>(x.size());
  parallel_for((count + kBlock - 1) / kBlock, [&](std::int64_t index) {
    scale_part(x.data() + index * kBlock, std::min(kBlock, count - index * kBlock), factor);
  });
}

}  // namespace

double sum_of_squares(std::span<const float> x) { return sum_of_squares_of(x); }
double sum_of_squares(std::span<const double> x) { return sum_of_squares_of(x); }
void scale(std::span<float> x, float factor) { scale_all(x, factor); }
void scale(std::span<double> x, double factor) { scale_all(x, factor); }
std::int64_t first_non_finite(std::span<const float> x) { return first_non_finite_of(x); }
std::int64_t first_non_finite(std::span<const double> x) { return first_non_finite_of(x); }

template <class T>
void column_sums(std::int64_t rows, std::int64_t n, const T* x, std::int64_t ldx, T beta, T* out) {
  parallel_for((n + kColumns - 1) / kColumns, [&](std::int64_t index) {
    const std::int64_t first = index * kColumns;
    columns(rows, std::min(kColumns, n - first), x + first, ldx, beta != T{0}, out + first);
  });
}
template void column_sums(std::int64_t, std::int64_t, const float*, std::int64_t, float, float*);
template void column_sums(std::int64_t, std::int64_t, const double*, std::int64_t, double, double*);

}  // namespace carousel::kernels
#endif  // HWY_ONCE
