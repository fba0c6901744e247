// cells_simd.cpp: every cell in float, compiled once per instruction set; the best one is chosen when the program runs.
#include "cells/stream_layer.h"
#include "cells/tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cells/cells_simd.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/math-inl.h"
#include "kernels/norm.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#include "cells/rows-inl.h"

// The cells use what stands above, and this list is made from cells.def.
#include "cell_includes.inc"
#include "cells/expression.h"

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using M = kernels::HWY_NAMESPACE::SimdMath<D>;

// How a vector of units, or the last ones of a row, is loaded and stored, and its mathematics.
template <class Vector>
struct CellLanes : Vector {
  using M = HWY_NAMESPACE::M;
};

// units(lanes, row, unit) for every vector of units of a row; `units` is a lambda marked HWY_ATTR.
template <class F>
HWY_INLINE void for_units(std::int64_t hidden_size, std::int64_t row, const F& units) {
  kernels::HWY_NAMESPACE::for_each_vector(D(), hidden_size, [&](auto vector, std::int64_t unit) HWY_ATTR {
    units(CellLanes<decltype(vector)>{vector}, row, unit);
  });
}

template <class Step, class F>
HWY_INLINE void for_each_unit(const Step& s, const F& units) {
  for (std::int64_t row = 0; row < s.rows; ++row) for_units(s.hidden_size, row, units);
}

template <class C>
void run_forward(const StepForward<float>& s) noexcept {
  for_each_unit(s, [&](const auto& lanes, auto row, auto unit) HWY_ATTR { forward_units<C>(s, row, unit, lanes); });
}

template <class C>
void run_backward(const StepBackward<float>& s) noexcept {
  for_each_unit(s, [&](const auto& lanes, auto row, auto unit) HWY_ATTR { backward_units<C>(s, row, unit, lanes); });
}

// The steps of a normalised cell, one row after another.
template <class C>
void run_forward_rows(const StepForward<float>& s) noexcept {
  const auto units = [&](const auto& lanes, auto row, auto unit) HWY_ATTR { forward_units<C>(s, row, unit, lanes); };
  for (std::int64_t row = 0; row < s.rows; ++row) {
    normalise_products<C>(s, row);
    for_units(s.hidden_size, row, units);
    if constexpr (C::kNormalisedState > 0) {
      normalise_state<C>(s, row);
      for_units(s.hidden_size, row,
                [&](const auto& lanes, auto, auto unit) HWY_ATTR { output_units<C>(s, row, unit, lanes); });
    }
  }
}

template <class C>
void run_backward_rows(const StepBackward<float>& s) noexcept {
  const auto units = [&](const auto& lanes, auto row, auto unit) HWY_ATTR { backward_units<C>(s, row, unit, lanes); };
  for (std::int64_t row = 0; row < s.rows; ++row) {
    if constexpr (C::kNormalisedState > 0) {
      for_units(s.hidden_size, row,
                [&](const auto& lanes, auto, auto unit) HWY_ATTR { output_backward_units<C>(s, row, unit, lanes); });
      state_backward<C>(s, row);
    }
    for_units(s.hidden_size, row, units);
    products_backward<C>(s, row);
  }
}

template <class C>
void run_inner(const StepForward<float>& s) noexcept {
  for_each_unit(s,
                [&](const auto& lanes, auto row, auto unit) HWY_ATTR { forward_inner_units<C>(s, row, unit, lanes); });
}

template <class C>
void run_inner_backward(const StepBackward<float>& s) noexcept {
  for_each_unit(s,
                [&](const auto& lanes, auto row, auto unit) HWY_ATTR { backward_inner_units<C>(s, row, unit, lanes); });
}

// Row r of a tile: the sums of its gates from number `first` on, the states before the step and the unit weights.
template <class C>
HWY_INLINE void load_stream_units(const StreamTile& t, int r, int first, CellForward<V>& v) {
  using N = Counts<C>;
  const D d;
  const auto L = static_cast<std::int64_t>(hn::Lanes(d));
  const int gates = first > 0 ? N::G - first : C::kInnerGates > 0 ? N::kFirst : N::G;  // of the pass
  for (int k = 0; k < gates; ++k) {
    v.a[first + k] = hn::LoadU(d, t.a + (r * gates + k) * L);
    if constexpr (C::kSplitGates) v.q[first + k] = hn::LoadU(d, t.q + (r * gates + k) * L);
  }
  for (int k = 0; k < N::S; ++k) v.previous[k] = hn::LoadU(d, t.step.states[k][t.row + r] + t.unit);
  for (int k = 0; k < N::U; ++k) v.unit[k] = hn::LoadU(d, t.step.unit_weights + k * t.step.panels * L + t.unit);
}

template <class C>
void finish_stream(const StreamTile& t) noexcept {
  using N = Counts<C>;
  constexpr int kGiven = C::kInnerGates > 0 ? N::kFirst : 0;
  const D d;
  const StreamStep& s = t.step;
  const std::int64_t padded = s.panels * static_cast<std::int64_t>(hn::Lanes(d));
  for (int r = 0; r < t.rows; ++r) {
    const int row = t.row + r;
    CellForward<V> v;
    load_stream_units<C>(t, r, kGiven, v);
    for (int k = 0; k < kGiven; ++k) v.gate[k] = hn::LoadU(d, s.gates + (row * kGiven + k) * padded + t.unit);
    if constexpr (C::kInnerGates > 0) v.inner = hn::LoadU(d, s.inner + row * padded + t.unit);
    if constexpr (C::kLower) v.lower = hn::LoadU(d, s.lower[row] + t.unit);
    step_units<C, M>(s.program, v);
    hn::StoreU(v.next[0], d, s.hidden ? s.hidden + row * padded + t.unit : s.states[0][row] + t.unit);
    for (int k = 1; k < N::S; ++k) hn::StoreU(v.next[k], d, s.states[k][row] + t.unit);
  }
}

template <class C>
void finish_stream_inner(const StreamTile& t) noexcept {
  using N = Counts<C>;
  const D d;
  const StreamStep& s = t.step;
  const std::int64_t padded = s.panels * static_cast<std::int64_t>(hn::Lanes(d));
  for (int r = 0; r < t.rows; ++r) {
    const int row = t.row + r;
    CellForward<V> v;
    load_stream_units<C>(t, r, 0, v);
    C::template step_inner<M, V>(v);
    for (int k = 0; k < N::kFirst; ++k) hn::StoreU(v.gate[k], d, s.gates + (row * N::kFirst + k) * padded + t.unit);
    hn::StoreU(v.inner, d, s.inner + row * padded + t.unit);
  }
}

template <class C>
constexpr SimdCell simd_cell() {
  if constexpr (requires { C::kMatrixMemory; }) {
    return {};
  } else if constexpr (C::kNormalised) {  // its streams take whole rows, see stream_layer.h
    SimdCell cell{{run_forward_rows<C>, nullptr, nullptr, nullptr}, nullptr, nullptr};
    if constexpr (kTraining) cell.steps.step_backward = run_backward_rows<C>;
    return cell;
  } else {
    SimdCell cell{{run_forward<C>, nullptr, nullptr, nullptr}, finish_stream<C>, nullptr};
    if constexpr (C::kInnerGates > 0) {
      cell.steps.step_inner = run_inner<C>;
      cell.stream_finish_inner = finish_stream_inner<C>;
    }
    if constexpr (kTraining) {
      cell.steps.step_backward = run_backward<C>;
      if constexpr (C::kInnerGates > 0) cell.steps.step_inner_backward = run_inner_backward<C>;
    }
    return cell;
  }
}

template <std::size_t... kShape>
constexpr std::array<SimdCell, kExpressionShapes> simd_expression_cells(std::index_sequence<kShape...>) {
  return {simd_cell<Expression<kShape / 4 + 1, kShape / 2 % 2 + 1, kShape % 2 == 1>>()...};
}

std::span<const SimdCell> expression_table() {
  static constexpr auto kCells = simd_expression_cells(std::make_index_sequence<kExpressionShapes>());
  return kCells;
}

std::span<const SimdCell> cell_table() {
#define CAROUSEL_CELL(header, Struct) simd_cell<Struct>(),
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
HWY_EXPORT(expression_table);

std::span<const SimdCell> simd_cells() { return HWY_DYNAMIC_DISPATCH(cell_table)(); }
std::span<const SimdCell> simd_expressions() { return HWY_DYNAMIC_DISPATCH(expression_table)(); }

}  // namespace carousel
#endif
