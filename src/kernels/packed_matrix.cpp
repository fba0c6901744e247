// The micro-kernel keeps a tile of R rows x (panels x 2) vectors of y in registers and walks down k. A panel is two
// vectors of columns of B, stored one k after another, so that it streams through the cache exactly once per call.
#include "kernels/packed_matrix.h"

#include <algorithm>

#include "base/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/packed_matrix.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef CAROUSEL_KERNELS_PACKED_MATRIX_ONCE
#define CAROUSEL_KERNELS_PACKED_MATRIX_ONCE
namespace carousel::kernels {

template <class T>
struct PackedProduct {
  std::int64_t rows, n, k;
  const T* x;
  std::int64_t ldx;
  const T* packed;
  bool accumulate;  // beta is 1
  T* y;
  std::int64_t ldy;
};

template <class T>
struct PackJob {
  Op op;
  std::int64_t k, n;
  const T* w;
  std::int64_t ldw;
  T* packed;
};

}  // namespace carousel::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kMaxRows = 12;  // 32 vector registers: 24 accumulators
#else
constexpr int kMaxRows = 6;  // 16 vector registers: 12 accumulators
#endif

// Where a tile reads and writes. `panel` is the distance from one panel to the next.
template <class T>
struct Tile {
  std::int64_t k;
  const T* x;
  std::int64_t ldx;
  const T* b;
  std::int64_t panel;
  bool accumulate;
  T* y;
  std::int64_t ldy;
  const T* ahead;  // asked for early, ahead_step elements for each k
  std::int64_t ahead_step;
};

template <int R, int P, class D, class T = hn::TFromD<D>>
HWY_INLINE void multiply_tile(D d, const Tile<T>& tile) {
  constexpr int kVectors = 2 * P;
  const std::int64_t lanes = hn::Lanes(d), ldx = tile.ldx, ldy = tile.ldy, panel = tile.panel;
  const T* HWY_RESTRICT x = tile.x;
  const T* HWY_RESTRICT b = tile.b;
  T* HWY_RESTRICT y = tile.y;
  hn::Vec<D> sum[R][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = tile.accumulate ? hn::LoadU(d, y + r * ldy + v * lanes) : hn::Zero(d);
  }
  const T* ahead = tile.ahead;
  for (const T* end = x + tile.k; x != end; ++x, b += 2 * lanes, ahead += tile.ahead_step) {
    if constexpr (P == 1) __builtin_prefetch(ahead, 0, 2);
    hn::Vec<D> column[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) column[v] = hn::Load(d, b + (v / 2) * panel + (v % 2) * lanes);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const auto element = hn::Set(d, x[r * ldx]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(element, column[v], sum[r][v]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, y + r * ldy + v * lanes);
  }
}

template <int P, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void multiply_rows(D d, int rows, const Tile<T>& tile) {
  switch (rows) {
    case 1:
      return multiply_tile<1, P>(d, tile);
    case 2:
      return multiply_tile<2, P>(d, tile);
    case 3:
      return multiply_tile<3, P>(d, tile);
    default:
      break;
  }
  if constexpr (P == 1) {
    switch (rows) {
      case 4:
        return multiply_tile<4, 1>(d, tile);
      case 5:
        return multiply_tile<5, 1>(d, tile);
      case 6:
        return multiply_tile<6, 1>(d, tile);
      default:
        break;
    }
    if constexpr (kMaxRows == 12) {
      switch (rows) {
        case 7:
          return multiply_tile<7, 1>(d, tile);
        case 8:
          return multiply_tile<8, 1>(d, tile);
        case 9:
          return multiply_tile<9, 1>(d, tile);
        case 10:
          return multiply_tile<10, 1>(d, tile);
        case 11:
          return multiply_tile<11, 1>(d, tile);
        case 12:
          return multiply_tile<12, 1>(d, tile);
        default:
          break;
      }
    }
  }
}

// The last panel, of which only `columns` are real: by way of a full tile of our own.
template <class D, class T = hn::TFromD<D>>
HWY_NOINLINE void multiply_edge(D d, int rows, std::int64_t columns, Tile<T> tile) {
  constexpr std::int64_t kWidth = 2 * hn::MaxLanes(D());
  alignas(64) T buffer[kMaxRows * kWidth] = {};
  T* y = tile.y;
  if (tile.accumulate) {
    for (int r = 0; r < rows; ++r) std::copy(y + r * tile.ldy, y + r * tile.ldy + columns, buffer + r * kWidth);
  }
  const std::int64_t ldy = tile.ldy;
  tile.y = buffer;
  tile.ldy = kWidth;
  multiply_rows<1>(d, rows, tile);
  for (int r = 0; r < rows; ++r) std::copy(buffer + r * kWidth, buffer + r * kWidth + columns, y + r * ldy);
}

// All rows times one panel, of which `columns` are real.
//
// Rows are dealt out evenly (16 = 6 + 5 + 5, not 6 + 6 + 4): a thin tile cannot hide the latency of its sums. k is cut
// into runs whose part of the panel stays in the first cache while all rows pass; a sum goes to y and back between
// runs, which changes no bit of it.
template <class T>
HWY_INLINE void multiply_panel(const PackedProduct<T>& p, std::int64_t column, std::int64_t width) {
  constexpr std::int64_t kRunBytes = 20480;
  const hn::ScalableTag<T> d;
  const std::int64_t blocks = (p.rows + kMaxRows - 1) / kMaxRows, columns = std::min(width, p.n - column);
  const std::int64_t bytes = p.k * width * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t runs = blocks == 1 ? 1 : std::max<std::int64_t>(1, (bytes + kRunBytes / 2) / kRunBytes);
  const T* panel = p.packed + column * p.k;
  Tile<T> tile{};
  tile.ldx = p.ldx;
  tile.ldy = p.ldy;
  tile.ahead_step = (width + blocks - 1) / blocks;
  for (std::int64_t run = 0; run < runs; ++run) {
    const std::int64_t from = p.k * run / runs;
    tile.k = p.k * (run + 1) / runs - from;
    tile.b = panel + from * width;
    tile.accumulate = p.accumulate || run > 0;
    // What comes next lies next in memory: the next run, or the next panel.
    const T* next = column + width < p.n || run + 1 < runs ? tile.b + tile.k * width : tile.b;
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t first = p.rows * block / blocks, end = p.rows * (block + 1) / blocks;
      tile.x = p.x + first * p.ldx + from;
      tile.y = p.y + first * p.ldy + column;
      tile.ahead = next + block * tile.k * tile.ahead_step;
      if (columns == width) {
        multiply_rows<1>(d, static_cast<int>(end - first), tile);
      } else {
        multiply_edge(d, static_cast<int>(end - first), columns, tile);
      }
    }
  }
}

template <class T>
HWY_INLINE void multiply_all(const PackedProduct<T>& p) {
  if (p.rows == 0 || p.n == 0) return;
  const hn::ScalableTag<T> d;
  const std::int64_t width = 2 * hn::Lanes(d);
  std::int64_t column = 0;
  if (p.rows <= 3) {  // thin tiles take two panels side by side
    for (; column + 2 * width <= p.n; column += 2 * width) {
      multiply_rows<2>(d, static_cast<int>(p.rows),
                       Tile<T>{p.k, p.x, p.ldx, p.packed + column * p.k, p.k * width, p.accumulate, p.y + column, p.ldy,
                               nullptr, 0});
    }
  }
  for (; column < p.n; column += width) multiply_panel(p, column, width);
}

// Panel `index` of the packed form; columns beyond n are zero.
template <class T>
HWY_INLINE void pack_panel_of(const PackJob<T>& job, std::int64_t index) {
  const hn::ScalableTag<T> d;
  const std::int64_t width = 2 * hn::Lanes(d), column = index * width, columns = std::min(width, job.n - column);
  T* out = job.packed + column * job.k;
  if (job.op == Op::kPlain) {
    for (std::int64_t l = 0; l < job.k; ++l, out += width) {
      const T* in = job.w + l * job.ldw + column;
      std::copy(in, in + columns, out);
      std::fill(out + columns, out + width, T{0});
    }
    return;
  }
  constexpr std::int64_t kRun = 16;  // so many k at a time stay in the first cache while all columns pass
  for (std::int64_t first = 0; first < job.k; first += kRun) {
    const std::int64_t end = std::min(job.k, first + kRun);
    for (std::int64_t c = 0; c < width; ++c) {
      const T* in = job.w + (column + c) * job.ldw;
      for (std::int64_t l = first; l < end; ++l) out[l * width + c] = c < columns ? in[l] : T{0};
    }
  }
}

void multiply_float(const PackedProduct<float>& product) { multiply_all(product); }
void multiply_double(const PackedProduct<double>& product) { multiply_all(product); }
void pack_panel_float(const PackJob<float>& job, std::int64_t index) { pack_panel_of(job, index); }
void pack_panel_double(const PackJob<double>& job, std::int64_t index) { pack_panel_of(job, index); }
std::int64_t panel_width_float() { return 2 * hn::Lanes(hn::ScalableTag<float>()); }
std::int64_t panel_width_double() { return 2 * hn::Lanes(hn::ScalableTag<double>()); }

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel::kernels {
namespace {

HWY_EXPORT(multiply_float);
HWY_EXPORT(multiply_double);
HWY_EXPORT(pack_panel_float);
HWY_EXPORT(pack_panel_double);
HWY_EXPORT(panel_width_float);
HWY_EXPORT(panel_width_double);

constexpr std::int64_t kWidestPanel = 32;  // two vectors of 64 bytes of float

void run(const PackedProduct<float>& product) { HWY_DYNAMIC_DISPATCH(multiply_float)(product); }
void run(const PackedProduct<double>& product) { HWY_DYNAMIC_DISPATCH(multiply_double)(product); }
void run(const PackJob<float>& job, std::int64_t i) { HWY_DYNAMIC_DISPATCH(pack_panel_float)(job, i); }
void run(const PackJob<double>& job, std::int64_t i) { HWY_DYNAMIC_DISPATCH(pack_panel_double)(job, i); }
std::int64_t panel_width(float) { return HWY_DYNAMIC_DISPATCH(panel_width_float)(); }
std::int64_t panel_width(double) { return HWY_DYNAMIC_DISPATCH(panel_width_double)(); }

}  // namespace

std::int64_t packed_size(std::int64_t k, std::int64_t n) noexcept {
  return k * ((n + kWidestPanel - 1) / kWidestPanel * kWidestPanel);
}

template <class T>
void pack(Op op, std::int64_t k, std::int64_t n, const T* w, std::int64_t ldw, T* packed) {
  const PackJob<T> job{op, k, n, w, ldw, packed};
  const std::int64_t width = panel_width(T{});
  // About 16 thousand elements are worth handing to another thread.
  const std::int64_t panels = (n + width - 1) / width, group = std::max<std::int64_t>(1, 16384 / (width * k + 1));
  parallel_for((panels + group - 1) / group, [&](std::int64_t index) {
    const std::int64_t end = std::min(panels, (index + 1) * group);
    for (std::int64_t panel = index * group; panel < end; ++panel) run(job, panel);
  });
}

template <class T>
void multiply_packed(std::int64_t rows, std::int64_t n, std::int64_t k, const T* x, std::int64_t ldx, const T* packed,
                     T beta, T* y, std::int64_t ldy) noexcept {
  run(PackedProduct<T>{rows, n, k, x, ldx, packed, beta != T{0}, y, ldy});
}

template void pack(Op, std::int64_t, std::int64_t, const float*, std::int64_t, float*);
template void pack(Op, std::int64_t, std::int64_t, const double*, std::int64_t, double*);
template void multiply_packed(std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t, const float*, float,
                              float*, std::int64_t) noexcept;
template void multiply_packed(std::int64_t, std::int64_t, std::int64_t, const double*, std::int64_t, const double*,
                              double, double*, std::int64_t) noexcept;

}  // namespace carousel::kernels
#endif  // HWY_ONCE
