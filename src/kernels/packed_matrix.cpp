#include "kernels/packed_matrix.h"

#include <algorithm>
#include <cstring>

#include "base/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/packed_matrix.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/tile-inl.h"

#ifndef CAROUSEL_KERNELS_PACKED_MATRIX_ONCE
#define CAROUSEL_KERNELS_PACKED_MATRIX_ONCE
namespace carousel::kernels {

constexpr std::int64_t kRunBytes = 20480;      // of a panel, to stay in the first cache
constexpr std::int64_t kLongRunBytes = 40960;  // to stay in the second, beside a chunk of A

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

// All rows times one panel, of which `columns` are real.
//
// Rows are dealt out evenly (16 = 6 + 5 + 5, not 6 + 6 + 4): a thin tile cannot hide the latency of its sums. k is cut
// into runs whose part of the panel stays in the first cache while all rows pass; a sum goes to y and back between
// runs, which changes no bit of it.
template <Form kForm, class T>
HWY_INLINE void multiply_panel(const PackedProduct<T>& p, std::int64_t column, std::int64_t width) {
  const hn::ScalableTag<T> d;
  const std::int64_t blocks = (p.rows + kMaxRows - 1) / kMaxRows, columns = std::min(width, p.n - column);
  const std::int64_t bytes = p.k * width * static_cast<std::int64_t>(sizeof(T));
  const bool whole = blocks == 1 || p.into == Into::kAdd;
  const std::int64_t runs = whole ? 1 : std::max<std::int64_t>(1, (bytes + kRunBytes / 2) / kRunBytes);
  Tile<T> tile{};
  tile.ldx = p.ldx;
  tile.ldb = p.ldb ? p.ldb : width;
  const T* panel = p.b + column * (p.ldb ? 1 : p.k);
  tile.ldy = p.ldy;
  tile.ahead_step = (width + blocks - 1) / blocks;
  for (std::int64_t run = 0; run < runs; ++run) {
    const std::int64_t from = p.k * run / runs;
    tile.k = p.k * (run + 1) / runs - from;
    tile.b = panel + from * tile.ldb;
    tile.into = run > 0 ? Into::kContinue : p.into;
    // What comes next lies next in memory: the next run, or the next panel.
    const T* next = column + width < p.n || run + 1 < runs ? tile.b + tile.k * width : tile.b;
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t first = p.rows * block / blocks, end = p.rows * (block + 1) / blocks;
      tile.x = kForm == Form::kRows ? p.x + first * p.ldx + from : p.x + first * p.k + from * (end - first);
      tile.y = p.y + first * p.ldy + column;
      tile.ahead = next + block * tile.k * tile.ahead_step;
      if (columns == width) {
        multiply_rows<kForm>(d, static_cast<int>(end - first), tile);
      } else {
        multiply_edge<kForm>(d, static_cast<int>(end - first), columns, tile);
      }
    }
  }
}

// R rows times P panels side by side, from `column` on: a thin tile alone has too few sums to hide their latency.
// Returns the column after the last that had so many panels.
template <int R, int P, Form kForm, class T>
HWY_INLINE std::int64_t multiply_thin(const PackedProduct<T>& p, std::int64_t column) {
  const hn::ScalableTag<T> d;
  const std::int64_t width = 2 * hn::Lanes(d), next = kForm == Form::kInterleavedTimesPlain ? 1 : p.k;
  for (; p.rows == R && column + P * width <= p.n; column += P * width) {
    multiply_tile<R, P, kForm>(d, Tile<T>{.k = p.k,
                                          .x = p.x,
                                          .ldx = p.ldx,
                                          .b = p.b + column * next,
                                          .ldb = p.ldb,
                                          .panel = width * next,
                                          .into = p.into,
                                          .y = p.y + column,
                                          .ldy = p.ldy});
  }
  return column;
}

template <Form kForm, class T>
HWY_INLINE void multiply_all(const PackedProduct<T>& p) {
  const std::int64_t width = 2 * hn::Lanes(hn::ScalableTag<T>());
  std::int64_t column = multiply_thin<1, 4, kForm>(p, 0);
  column = multiply_thin<1, 2, kForm>(p, column);
  column = multiply_thin<2, 2, kForm>(p, column);
  column = multiply_thin<3, 2, kForm>(p, column);
  for (; column < p.n; column += width) multiply_panel<kForm>(p, column, width);
}

// L values k of 4 columns, as rows of 4: `out` has row length ldo.
template <class D>
HWY_INLINE void transpose_columns(D d, const float* in, std::int64_t ldw, float* out, std::int64_t ldo) {
  constexpr std::int64_t L = hn::MaxLanes(D());
  alignas(64) float rows[4 * L];
  hn::StoreInterleaved4(hn::LoadU(d, in), hn::LoadU(d, in + ldw), hn::LoadU(d, in + 2 * ldw),
                        hn::LoadU(d, in + 3 * ldw), d, rows);
  for (std::int64_t l = 0; l < L; ++l) std::memcpy(out + l * ldo, rows + 4 * l, 4 * sizeof(float));
}

// Panel `index` of the packed form; columns beyond n are zero.
template <class T>
HWY_INLINE void pack_panel_of(const PackJob<T>& job, std::int64_t index) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = hn::Lanes(d), width = 2 * lanes, column = index * width;
  const std::int64_t columns = std::min(width, job.n - column);
  T* out = job.packed + column * job.k;
  std::int64_t l = 0;
  if (job.op == Op::kPlain) {
    for (; columns == width && l < job.k; ++l, out += width) {
      const T* in = job.w + l * job.ldw + column;
      hn::StoreU(hn::LoadU(d, in), d, out);
      hn::StoreU(hn::LoadU(d, in + lanes), d, out + lanes);
    }
    for (; l < job.k; ++l, out += width) {
      const T* in = job.w + l * job.ldw + column;
      std::copy(in, in + columns, out);
      std::fill(out + columns, out + width, T{0});
    }
    return;
  }
  const T* in = job.w + column * job.ldw;
  if constexpr (sizeof(T) == sizeof(float) && hn::MaxLanes(hn::ScalableTag<T>()) >= 4) {
    for (; columns == width && l + lanes <= job.k; l += lanes) {
      for (std::int64_t c = 0; c < width; c += 4) {
        transpose_columns(d, in + c * job.ldw + l, job.ldw, out + l * width + c, width);
      }
    }
  }
  for (; l < job.k; ++l) {
    for (std::int64_t c = 0; c < width; ++c) out[l * width + c] = c < columns ? in[c * job.ldw + l] : T{0};
  }
}

void multiply_float(const PackedProduct<float>& product) {
  if (!product.interleaved) return multiply_all<Form::kRows>(product);
  if (product.ldb == 0) return multiply_all<Form::kInterleaved>(product);
  multiply_all<Form::kInterleavedTimesPlain>(product);
}
void multiply_double(const PackedProduct<double>& product) { multiply_all<Form::kRows>(product); }
void pack_panel_float(const PackJob<float>& job, std::int64_t index) { pack_panel_of(job, index); }
void pack_panel_double(const PackJob<double>& job, std::int64_t index) { pack_panel_of(job, index); }
std::int64_t most_rows() { return kMaxRows; }
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
HWY_EXPORT(most_rows);
HWY_EXPORT(panel_width_float);
HWY_EXPORT(panel_width_double);

constexpr std::int64_t kShared = 1 << 19;         // multiply-adds of a product that are worth waking a thread for, ...
constexpr std::int64_t kPieceOfShared = 1 << 17;  // ... and of what it then takes at a time
constexpr std::int64_t kWidestPanel = 32;         // two vectors of 64 bytes of float

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
void pack_on_this_thread(Op op, std::int64_t k, std::int64_t n, const T* w, std::int64_t ldw, T* packed) {
  const PackJob<T> job{op, k, n, w, ldw, packed};
  for (std::int64_t panel = 0, width = panel_width(T{}); panel * width < n; ++panel) run(job, panel);
}

template <class T>
void interleave(Op op, std::int64_t rows, std::int64_t k, const T* x, std::int64_t ldx, T* interleaved) {
  const std::int64_t most = HWY_DYNAMIC_DISPATCH(most_rows)(), blocks = (rows + most - 1) / most;
  if (op == Op::kPlain) {
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t first = rows * block / blocks, end = rows * (block + 1) / blocks;
      for (std::int64_t l = 0; l < k; ++l) {
        for (std::int64_t r = first; r < end; ++r) *interleaved++ = x[r * ldx + l];
      }
    }
    return;
  }
  const std::int64_t least = rows / blocks, rest = rows % blocks;
  for (std::int64_t l = 0; l < k; ++l) {
    const T* in = x + l * ldx;
    T* out = interleaved;
    // rest: what rows * block leaves when it is divided by the blocks, without a division for each.
    for (std::int64_t block = 0, left = rest; block < blocks; ++block, left += rest) {
      const std::int64_t count = least + (left >= blocks ? 1 : 0);
      if (left >= blocks) left -= blocks;
      T* to = out + l * count;
      if (count == 6) {  // as most are with 16 registers
        std::memcpy(to, in, 6 * sizeof(T));
      } else {
        for (std::int64_t r = 0; r < count; ++r) to[r] = in[r];
      }
      in += count;
      out += count * k;
    }
  }
}

template <class T>
std::int64_t panel_columns() noexcept {
  return panel_width(T{});
}

template <class T>
std::int64_t short_k() noexcept {
  return kLongRunBytes / static_cast<std::int64_t>(sizeof(T)) / panel_width(T{});
}

template <class T>
void multiply_packed(const PackedProduct<T>& product) noexcept {
  if (product.rows > 0 && product.n > 0) run(product);
}

template <class T>
void multiply_packed(std::int64_t rows, std::int64_t n, std::int64_t k, const T* x, std::int64_t ldx, const T* packed,
                     T beta, T* y, std::int64_t ldy) noexcept {
  multiply_packed(PackedProduct<T>{.rows = rows,
                                   .n = n,
                                   .k = k,
                                   .x = x,
                                   .ldx = ldx,
                                   .b = packed,
                                   .into = beta != T{0} ? Into::kContinue : Into::kReplace,
                                   .y = y,
                                   .ldy = ldy});
}

bool is_worth_sharing(std::int64_t rows, std::int64_t n, std::int64_t k) noexcept {
  return threads() > 1 && rows * n * k >= kShared;
}

void multiply_packed_on_threads(std::int64_t rows, std::int64_t n, std::int64_t k, const float* x, std::int64_t ldx,
                                const float* packed, float beta, float* y, std::int64_t ldy) {
  if (!is_worth_sharing(rows, n, k)) return multiply_packed(rows, n, k, x, ldx, packed, beta, y, ldy);
  const std::int64_t unit = 4 * panel_width(float{});  // what a thin tile takes at a time
  const std::int64_t columns = (kPieceOfShared / (rows * k) + unit) / unit * unit;
  parallel_for((n + columns - 1) / columns, [&](std::int64_t piece) {
    const std::int64_t first = piece * columns;
    multiply_packed(rows, std::min(columns, n - first), k, x, ldx, packed + first * k, beta, y + first, ldy);
  });
}

template void pack(Op, std::int64_t, std::int64_t, const float*, std::int64_t, float*);
template void pack(Op, std::int64_t, std::int64_t, const double*, std::int64_t, double*);
template void pack_on_this_thread(Op, std::int64_t, std::int64_t, const float*, std::int64_t, float*);
template void interleave(Op, std::int64_t, std::int64_t, const float*, std::int64_t, float*);
template std::int64_t panel_columns<float>() noexcept;
template std::int64_t short_k<float>() noexcept;
template void multiply_packed(const PackedProduct<float>&) noexcept;
template void multiply_packed(std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t, const float*, float,
                              float*, std::int64_t) noexcept;
template void multiply_packed(std::int64_t, std::int64_t, std::int64_t, const double*, std::int64_t, const double*,
                              double, double*, std::int64_t) noexcept;

}  // namespace carousel::kernels
#endif  // HWY_ONCE
