// cells_simd.cpp: every cell in float, compiled once per instruction set; the best one is chosen when the program runs.
#include "cells/tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cells/cells_simd.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#include "cells/rows-inl.h"

// The cells use what stands above, and this list is made from cells.def.
#include "cell_includes.inc"

using D = hn::ScalableTag<float>;

struct FullLanes {
  using V = hn::Vec<D>;
  using M = kernels::HWY_NAMESPACE::SimdMath<D>;
  HWY_INLINE V load(const float* p) const { return hn::LoadU(D(), p); }
  HWY_INLINE void store(V value, float* p) const { hn::StoreU(value, D(), p); }
};

// The last units of a row, fewer than a vector.
struct TailLanes {
  using V = hn::Vec<D>;
  using M = kernels::HWY_NAMESPACE::SimdMath<D>;
  hn::Mask<D> mask;
  HWY_INLINE V load(const float* p) const { return hn::MaskedLoad(mask, D(), p); }
  HWY_INLINE void store(V value, float* p) const { hn::BlendedStore(value, mask, D(), p); }
};

template <class C>
void run_forward(const StepForward<float>& s) noexcept {
  const std::int64_t width = static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t whole = s.hidden_size - s.hidden_size % width;
  const TailLanes tail{hn::FirstN(D(), static_cast<std::size_t>(s.hidden_size - whole))};
  for (std::int64_t row = 0; row < s.rows; ++row) {
    for (std::int64_t unit = 0; unit < whole; unit += width) forward_units<C>(s, row, unit, FullLanes{});
    if (whole < s.hidden_size) forward_units<C>(s, row, whole, tail);
  }
}

template <class C>
void run_backward(const StepBackward<float>& s) noexcept {
  const std::int64_t width = static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t whole = s.hidden_size - s.hidden_size % width;
  const TailLanes tail{hn::FirstN(D(), static_cast<std::size_t>(s.hidden_size - whole))};
  for (std::int64_t row = 0; row < s.rows; ++row) {
    for (std::int64_t unit = 0; unit < whole; unit += width) backward_units<C>(s, row, unit, FullLanes{});
    if (whole < s.hidden_size) backward_units<C>(s, row, whole, tail);
  }
}

std::span<const SimdCell> cell_table() {
#define CAROUSEL_CELL(header, Struct) {run_forward<Struct>, run_backward<Struct>},
  static const SimdCell kCells[] = {
#include "cells/cells.def"
  };
#undef CAROUSEL_CELL
  return kCells;
}

}  // namespace HWY_NAMESPACE
}  // namespace carousel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel {

HWY_EXPORT(cell_table);

std::span<const SimdCell> simd_cells() { return HWY_DYNAMIC_DISPATCH(cell_table)(); }

}  // namespace carousel
#endif
