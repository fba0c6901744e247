// tile-inl.h: the innermost product, a tile of y in registers, once per Highway target. Internal to packed_matrix.cpp.
//
// B lies in panels of two vectors of columns, one k after another, so that a walk down k reads it as a stream.

#if defined(CAROUSEL_KERNELS_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CAROUSEL_KERNELS_TILE_INL_H
#undef CAROUSEL_KERNELS_TILE_INL_H
#else
#define CAROUSEL_KERNELS_TILE_INL_H
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/packed_matrix.h"

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kMaxRows = 12;  // 32 vector registers: 24 accumulators
#else
constexpr int kMaxRows = 6;  // 16 vector registers: 12 accumulators
#endif

// Where a tile reads and writes.
template <class T>
struct Tile {
  std::int64_t k = 0;
  const T* x = nullptr;  // element (row, k) is x[row ldx + k], or x[k R + row] where the R rows are interleaved
  std::int64_t ldx = 0;
  const T* b = nullptr;  // the two vectors of k are at b + k ldb, or of a packed B at b + 2 k L,
  std::int64_t ldb = 0;
  std::int64_t panel = 0;  // those of the next panel so much further on
  Into into = Into::kReplace;
  T* y = nullptr;
  std::int64_t ldy = 0;
  const T* ahead = nullptr;  // asked for early, ahead_step elements for each k
  std::int64_t ahead_step = 0;
};

enum class Form { kRows, kInterleaved, kInterleavedTimesPlain };  // of x, and in the last case of B

// sum += x[k] b[k] for kCount k from x and b on.
template <int R, int P, Form kForm, int kCount, class D, class T = hn::TFromD<D>>
HWY_INLINE void add_products(D d, const Tile<T>& tile, const T* HWY_RESTRICT x, const T* HWY_RESTRICT b,
                             hn::Vec<D> (&sum)[R][2 * P]) {
  constexpr int kVectors = 2 * P;
  const std::int64_t lanes = hn::Lanes(d), ldb = kForm == Form::kInterleavedTimesPlain ? tile.ldb : 2 * lanes;
#pragma GCC unroll 2
  for (int k = 0; k < kCount; ++k) {
    hn::Vec<D> column[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) column[v] = hn::LoadU(d, b + k * ldb + (v / 2) * tile.panel + (v % 2) * lanes);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const auto element = hn::Set(d, kForm == Form::kRows ? x[r * tile.ldx + k] : x[k * R + r]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(element, column[v], sum[r][v]);
    }
  }
}

// R rows times P panels.
template <int R, int P, Form kForm, class D, class T = hn::TFromD<D>>
HWY_INLINE void multiply_tile(D d, const Tile<T>& tile) {
  constexpr int kVectors = 2 * P, kUnroll = 2;  // several k at a time: fewer instructions beside the multiply-adds
  constexpr std::int64_t kStep = kForm == Form::kRows ? 1 : R;
  const std::int64_t lanes = hn::Lanes(d), ldy = tile.ldy;
  const std::int64_t ldb = kForm == Form::kInterleavedTimesPlain ? tile.ldb : 2 * lanes;
  T* HWY_RESTRICT y = tile.y;
  hn::Vec<D> sum[R][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = tile.into == Into::kContinue ? hn::LoadU(d, y + r * ldy + v * lanes) : hn::Zero(d);
  }
  if constexpr (P == 1) {
    for (int r = 0; r < R; ++r) {
      __builtin_prefetch(y + r * ldy, 1);
      __builtin_prefetch(y + r * ldy + kVectors * lanes - 1, 1);
    }
  }
  const T *x = tile.x, *b = tile.b, *ahead = tile.ahead;
  const T* end = x + tile.k / kUnroll * kUnroll * kStep;
  for (; x != end; x += kUnroll * kStep, b += kUnroll * ldb) {
    if constexpr (P == 1) {
      __builtin_prefetch(ahead, 0, 2);
      ahead += kUnroll * tile.ahead_step;
    }
    add_products<R, P, kForm, kUnroll>(d, tile, x, b, sum);
  }
  for (end += tile.k % kUnroll * kStep; x != end; x += kStep, b += ldb)
    add_products<R, P, kForm, 1>(d, tile, x, b, sum);
  if (tile.into == Into::kAdd) {
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Add(hn::LoadU(d, y + r * ldy + v * lanes), sum[r][v]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, y + r * ldy + v * lanes);
  }
}

// The tile of `rows` rows, 1 .. R, and one panel.
template <int R, Form kForm, class D, class T = hn::TFromD<D>>
HWY_INLINE void multiply_up_to(D d, int rows, const Tile<T>& tile) {
  if (rows == R) return multiply_tile<R, 1, kForm>(d, tile);
  if constexpr (R > 1) multiply_up_to<R - 1, kForm>(d, rows, tile);
}

// `rows`, 1 .. kMaxRows, times one panel.
template <Form kForm, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void multiply_rows(D d, int rows, const Tile<T>& tile) {
  multiply_up_to<kMaxRows, kForm>(d, rows, tile);
}

// The same for the last panel, of which only `columns` are real: by way of a full tile of our own.
template <Form kForm, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void multiply_edge(D d, int rows, std::int64_t columns, Tile<T> tile) {
  constexpr std::int64_t kWidth = 2 * hn::MaxLanes(D());
  alignas(64) T buffer[kMaxRows * kWidth] = {};
  T* y = tile.y;
  if (tile.into != Into::kReplace) {
    for (int r = 0; r < rows; ++r) std::copy(y + r * tile.ldy, y + r * tile.ldy + columns, buffer + r * kWidth);
  }
  const std::int64_t ldy = tile.ldy;
  tile.y = buffer;
  tile.ldy = kWidth;
  multiply_rows<kForm>(d, rows, tile);
  for (int r = 0; r < rows; ++r) std::copy(buffer + r * kWidth, buffer + r * kWidth + columns, y + r * ldy);
}

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
