// cells_simd.cpp: every cell in float, compiled once per instruction set; the best one is chosen when the program runs.
#include "cells/tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cells/cells_simd.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/math-inl.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#include "cells/rows-inl.h"

// The cells use what stands above, and this list is made from cells.def.
#include "cell_includes.inc"

using D = hn::ScalableTag<float>;

// How a vector of units, or the last ones of a row, is loaded and stored, and its mathematics.
template <class Vector>
struct CellLanes : Vector {
  using M = kernels::HWY_NAMESPACE::SimdMath<D>;
};

template <class C>
void run_forward(const StepForward<float>& s) noexcept {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    kernels::HWY_NAMESPACE::for_each_vector(D(), s.hidden_size, [&](auto vector, std::int64_t unit) HWY_ATTR {
      forward_units<C>(s, row, unit, CellLanes<decltype(vector)>{vector});
    });
  }
}

template <class C>
void run_backward(const StepBackward<float>& s) noexcept {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    kernels::HWY_NAMESPACE::for_each_vector(D(), s.hidden_size, [&](auto vector, std::int64_t unit) HWY_ATTR {
      backward_units<C>(s, row, unit, CellLanes<decltype(vector)>{vector});
    });
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
