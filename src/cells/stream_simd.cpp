// stream_simd.cpp: the products of one step for a few rows, compiled once per instruction set. See stream_layer.h for
// the order of the weights.
//
// A tile is R rows and one panel of G gates. Inputs are taken two by two into two sums a gate. One row by itself has
// the sums of up to four gates in registers: eight chains of multiply-adds are then under way, what the latency of one
// needs to be hidden. Several rows take the gates two by two, so that their sums fit in the registers: a vector of
// weights is then loaded once for all of them. No sum depends on R or on what is computed beside it. The cell's own
// mathematics takes a tile over while it is in the first cache (cells_simd.cpp).
#include "cells/stream_simd.h"

#include "cells/stream_layer.h"

#define HWY_WANT_AVX3_DL  // AVX-512 with VNNI, for int8
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cells/stream_simd.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

#if HWY_TARGET <= HWY_AVX3
constexpr int kTileRows = 4;  // 32 vector registers: 16 sums
#else
constexpr int kTileRows = HWY_TARGET == HWY_SCALAR ? 1 : 3;  // 16 vector registers: 12 sums
#endif

template <WeightFormat kFormat>
constexpr std::int64_t kPairBytes = kFormat == WeightFormat::kF32    ? 8
                                    : kFormat == WeightFormat::kBf16 ? 4
                                                                     : 2;

// One of x and h for the rows of a tile.
template <class T, int R>
struct TileInput {
  const T* rows[R];  // [size] each
  std::int64_t size;
};

// Sums of products of pairs of inputs of R rows with N gates of weights.
template <int R, int N>
struct FloatSums {
  V even[R][N], odd[R][N];

  HWY_INLINE FloatSums() { clear(); }
  HWY_INLINE void clear() {
    for (int r = 0; r < R; ++r) {
      for (int g = 0; g < N; ++g) even[r][g] = odd[r][g] = hn::Zero(D());
    }
  }
  // biases [N, L] + the sums of row r to gates + r stride, [N, L].
  HWY_INLINE void store(const float* biases, float* gates, std::int64_t stride) const {
    const D d;
    const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(d));
    for (int r = 0; r < R; ++r) {
      for (int g = 0; g < N; ++g) {
        const V total = hn::Add(even[r][g], odd[r][g]);
        hn::StoreU(hn::Add(total, hn::LoadU(d, biases + g * L)), d, gates + r * stride + g * L);
      }
    }
  }
};

template <int R, int N>
HWY_INLINE void add_row(V (&sums)[R][N], int r, float input, const V (&weights)[N]) {
  const V element = hn::Set(D(), input);
  for (int g = 0; g < N; ++g) sums[r][g] = hn::MulAdd(element, weights[g], sums[r][g]);
}

// The weights of N gates for one input of a pair. The two bf16 numbers of a 32-bit lane are the upper halves of
// two floats.
template <WeightFormat kFormat, int kSecond, int N>
HWY_INLINE void load_weights(const std::byte* pair, V (&weights)[N]) {
  const D d;
  const hn::RebindToUnsigned<D> du;
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(d));
  for (int g = 0; g < N; ++g) {
    if constexpr (kFormat == WeightFormat::kF32) {
      weights[g] = hn::LoadU(d, reinterpret_cast<const float*>(pair) + (2 * g + kSecond) * L);
    } else {
      const auto both = hn::LoadU(du, reinterpret_cast<const std::uint32_t*>(pair) + g * L);
      weights[g] = hn::BitCast(d, kSecond ? hn::And(both, hn::Set(du, 0xffff0000U)) : hn::ShiftLeft<16>(both));
    }
  }
}

// weights: of the first of N gates; those of the next pair of inputs stand `bytes` on.
template <WeightFormat kFormat, int R, int N>
HWY_INLINE void add_floats(FloatSums<R, N>& sums, const TileInput<float, R>& in, const std::byte* weights,
                           std::int64_t bytes) {
  V column[N];
  std::int64_t k = 0;
  for (; k + 2 <= in.size; k += 2, weights += bytes) {
    load_weights<kFormat, 0>(weights, column);
    for (int r = 0; r < R; ++r) add_row<R, N>(sums.even, r, in.rows[r][k], column);
    load_weights<kFormat, 1>(weights, column);
    for (int r = 0; r < R; ++r) add_row<R, N>(sums.odd, r, in.rows[r][k + 1], column);
  }
  if (k == in.size) return;
  load_weights<kFormat, 0>(weights, column);
  for (int r = 0; r < R; ++r) add_row<R, N>(sums.even, r, in.rows[r][k], column);
}

#include "cells/stream_int8-inl.h"

// Where the parts of a panel begin.
template <WeightFormat kFormat>
struct Panel {
  const float *bias, *recurrent_bias, *input_scales, *recurrent_scales;
  const std::byte *ih, *hh;
  std::int64_t bytes;  // of the weights of one pair of inputs

  HWY_INLINE Panel(const StreamStep& s, std::int64_t index) {
    const std::int64_t vectors = s.gate_count * static_cast<std::int64_t>(hn::Lanes(D()));
    bytes = vectors * kPairBytes<kFormat>;
    bias = reinterpret_cast<const float*>(s.weights + index * s.panel_bytes);
    recurrent_bias = bias + (s.split ? vectors : 0);
    input_scales = recurrent_bias + vectors;
    recurrent_scales = input_scales + vectors;
    ih = reinterpret_cast<const std::byte*>(input_scales + (kFormat == WeightFormat::kInt8 ? 2 * vectors : 0));
    hh = ih + (s.input_size + 1) / 2 * bytes;
  }
};

// What the products give the cells of R rows, biases included; q only where the gates are split.
template <int R>
struct TileGates {
  alignas(64) float a[R * kMaxGates * hn::MaxLanes(D())], q[R * kMaxGates * hn::MaxLanes(D())];
};

template <int R>
HWY_INLINE TileInput<std::int16_t, R> integers_of(const StreamIntegers& in, int row, std::int64_t size) {
  TileInput<std::int16_t, R> tile;
  tile.size = size + size % 2;
  for (int r = 0; r < R; ++r) tile.rows[r] = in.values + (row + r) * in.stride;
  return tile;
}

// Gates first .. first + N - 1 of rows row .. row + R - 1, in int8.
template <int R, int N>
HWY_INLINE void multiply_int8(const StreamStep& s, int row, const Panel<WeightFormat::kInt8>& panel, int first,
                              TileGates<R>& gates) {
  const D d;
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(d));
  const TileInput<std::int16_t, R> x = integers_of<R>(s.input, row, s.input_size);
  const TileInput<std::int16_t, R> h = integers_of<R>(s.recurrent, row, s.recurrent_size);
  const std::int64_t offset = first * L * kPairBytes<WeightFormat::kInt8>;
  V input[R][N], recurrent[R][N];
  sum_int8<R, N>(x, panel.ih + offset, panel.bytes, input);
  sum_int8<R, N>(h, panel.hh + offset, panel.bytes, recurrent);
  for (int r = 0; r < R; ++r) {
    const V x_scale = hn::Set(d, s.input.scales[row + r]), h_scale = hn::Set(d, s.recurrent.scales[row + r]);
    for (int k = 0; k < N; ++k) {
      const std::int64_t at = (first + k) * L, to = r * s.gate_count * L + at;
      const V ih = hn::Mul(x_scale, hn::LoadU(d, panel.input_scales + at));
      const V hh = hn::Mul(h_scale, hn::LoadU(d, panel.recurrent_scales + at));
      const V a = hn::MulAdd(input[r][k], ih, hn::LoadU(d, panel.bias + at));
      hn::StoreU(s.split ? a : hn::MulAdd(recurrent[r][k], hh, a), d, gates.a + to);
      if (!s.split) continue;
      hn::StoreU(hn::MulAdd(recurrent[r][k], hh, hn::LoadU(d, panel.recurrent_bias + at)), d, gates.q + to);
    }
  }
}

// The same in f32 and bf16.
template <WeightFormat kFormat, int R, int N>
HWY_INLINE void multiply_floats(const StreamStep& s, int row, const Panel<kFormat>& panel, int first,
                                TileGates<R>& gates) {
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(D())), at = first * L, stride = s.gate_count * L;
  TileInput<float, R> x, h;
  x.size = s.input_size;
  h.size = s.recurrent_size;
  for (int r = 0; r < R; ++r) {
    x.rows[r] = s.x[row + r];
    h.rows[r] = s.h[row + r];
  }
  FloatSums<R, N> sums;
  add_floats<kFormat>(sums, x, panel.ih + at * kPairBytes<kFormat>, panel.bytes);
  if (s.split) {
    sums.store(panel.bias + at, gates.a + at, stride);
    sums.clear();
  }
  add_floats<kFormat>(sums, h, panel.hh + at * kPairBytes<kFormat>, panel.bytes);
  sums.store(panel.recurrent_bias + at, (s.split ? gates.q : gates.a) + at, stride);
}

// The gates from `first` on, N at a time and the rest of them with fewer.
template <WeightFormat kFormat, int R, int N>
HWY_INLINE void multiply(const StreamStep& s, int row, const Panel<kFormat>& panel, int first, TileGates<R>& gates) {
  for (; first + N <= s.gate_count; first += N) {
    if constexpr (kFormat == WeightFormat::kInt8) {
      multiply_int8<R, N>(s, row, panel, first, gates);
    } else {
      multiply_floats<kFormat, R, N>(s, row, panel, first, gates);
    }
  }
  if constexpr (N > 1) multiply<kFormat, R, N - 1>(s, row, panel, first, gates);
}

// Rows row .. row + R - 1 and the units of one panel.
template <WeightFormat kFormat, int R>
HWY_INLINE void run_tile(const StreamStep& s, int row, std::int64_t index) {
  const Panel<kFormat> panel(s, index);
  TileGates<R> gates;
  multiply<kFormat, R, R == 1 ? 4 : 2>(s, row, panel, 0, gates);
  s.finish({s, row, R, index * static_cast<std::int64_t>(hn::Lanes(D())), gates.a, gates.q});
}

// A tile of `count` rows, 1 .. R.
template <WeightFormat kFormat, int R>
HWY_INLINE void run_rows(const StreamStep& s, int row, int count, std::int64_t panel) {
  if (count == R) return run_tile<kFormat, R>(s, row, panel);
  if constexpr (R > 1) run_rows<kFormat, R - 1>(s, row, count, panel);
}

template <WeightFormat kFormat>
void run_products(const StreamStep& s) noexcept {
  if constexpr (kFormat == WeightFormat::kInt8) {
    round_rows(s.x, s.rows, s.input_size, s.input);
    round_rows(s.h, s.rows, s.recurrent_size, s.recurrent);
  }
  for (std::int64_t panel = 0; panel < s.panels; ++panel) {
    for (int row = 0, count = 0; row < s.rows; row += count) {
      const int left = s.rows - row;
      // 4 rows are 2 + 2, not 3 + 1: one row by itself reads the weights as slowly as three.
      count = left >= 2 * kTileRows ? kTileRows : left > kTileRows ? (left + 1) / 2 : left;
      run_rows<kFormat, kTileRows>(s, row, count, panel);
    }
  }
}

#if HWY_TARGET == HWY_AVX3_DL && (HWY_TARGETS & HWY_AVX3)
namespace floats = N_AVX3;  // compiled before; VNNI changes nothing in them
#else
namespace floats = HWY_NAMESPACE;
#endif

StreamKernel products_of(WeightFormat format) {
  switch (format) {
    case WeightFormat::kF32:
      return floats::run_products<WeightFormat::kF32>;
    case WeightFormat::kBf16:
      return floats::run_products<WeightFormat::kBf16>;
    case WeightFormat::kInt8:
      break;
  }
  return run_products<WeightFormat::kInt8>;
}

std::int64_t lanes_of_target() { return static_cast<std::int64_t>(hn::Lanes(D())); }

}  // namespace HWY_NAMESPACE
}  // namespace carousel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel {

HWY_EXPORT(products_of);
HWY_EXPORT(lanes_of_target);

StreamKernel stream_products(WeightFormat format) { return HWY_DYNAMIC_DISPATCH(products_of)(format); }
std::int64_t stream_lanes() { return HWY_DYNAMIC_DISPATCH(lanes_of_target)(); }

}  // namespace carousel
#endif
