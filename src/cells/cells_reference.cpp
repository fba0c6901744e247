// cells_reference.cpp: every cell in double, one unit at a time: the definition that the SIMD versions are held to.
#include <array>

#include "cells/tables.h"
#include "kernels/scalar_math.h"

namespace carousel {
namespace reference {

#include "cells/rows-inl.h"

// The cells use what stands above, and this list is made from cells.def.
#include "cell_includes.inc"

struct DoubleLanes {
  using V = double;
  using M = kernels::ScalarMath<double>;
  static double load(const double* p) noexcept { return *p; }
  static void store(double value, double* p) noexcept { *p = value; }
};

template <class C>
void run_forward(const StepForward<double>& s) noexcept {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    for (std::int64_t unit = 0; unit < s.hidden_size; ++unit) forward_units<C>(s, row, unit, DoubleLanes{});
  }
}

template <class C>
void run_backward(const StepBackward<double>& s) noexcept {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    for (std::int64_t unit = 0; unit < s.hidden_size; ++unit) backward_units<C>(s, row, unit, DoubleLanes{});
  }
}

template <class C>
constexpr Cell describe() {
  Cell cell;
  cell.name = C::kName;
  cell.summary = C::kSummary;
  cell.equations = C::kEquations;
  cell.gates = C::kGates;
  cell.states = C::kStates;
  cell.extras = C::kExtras;
  cell.split_gates = C::kSplitGates;
  cell.projection = C::kProjection;
  cell.step_double = run_forward<C>;
  cell.step_backward_double = run_backward<C>;
  return cell;
}

}  // namespace reference

std::span<const Cell> reference_cells() {
#define CAROUSEL_CELL(header, Struct) reference::describe<reference::Struct>(),
  static const Cell kCells[] = {
#include "cells/cells.def"
  };
#undef CAROUSEL_CELL
  return kCells;
}

}  // namespace carousel
