// cells_reference.cpp: every cell in double, one unit at a time: the definition that the SIMD versions are held to.
#include <array>
#include <utility>

#include "cells/tables.h"
#include "kernels/norm.h"
#include "kernels/scalar_math.h"

namespace carousel {
namespace reference {

#include "cells/rows-inl.h"

// The cells use what stands above, and this list is made from cells.def.
#include "cell_includes.inc"
#include "cells/expression.h"

struct DoubleLanes {
  using V = double;
  using M = kernels::ScalarMath<double>;
  static double load(const double* p) noexcept { return *p; }
  static void store(double value, double* p) noexcept { *p = value; }
};

// f(row, unit) for every unit of every row.
template <class Step, class F>
void for_each_unit(const Step& s, F f) noexcept {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    for (std::int64_t unit = 0; unit < s.hidden_size; ++unit) f(row, unit);
  }
}

// The steps of a normalised cell, one row after another.
template <class C>
void forward_rows(const StepForward<double>& s) noexcept {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    normalise_products<C>(s, row);
    for (std::int64_t unit = 0; unit < s.hidden_size; ++unit) forward_units<C>(s, row, unit, DoubleLanes{});
    if constexpr (C::kNormalisedState > 0) {
      normalise_state<C>(s, row);
      for (std::int64_t unit = 0; unit < s.hidden_size; ++unit) output_units<C>(s, row, unit, DoubleLanes{});
    }
  }
}

template <class C>
void backward_rows(const StepBackward<double>& s) noexcept {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    if constexpr (C::kNormalisedState > 0) {
      for (std::int64_t unit = 0; unit < s.hidden_size; ++unit) output_backward_units<C>(s, row, unit, DoubleLanes{});
      state_backward<C>(s, row);
    }
    for (std::int64_t unit = 0; unit < s.hidden_size; ++unit) backward_units<C>(s, row, unit, DoubleLanes{});
    products_backward<C>(s, row);
  }
}

template <class C>
constexpr CellSteps<double> steps_of() {
  using Forward = StepForward<double>;
  using Backward = StepBackward<double>;
  CellSteps<double> steps;
  if constexpr (C::kNormalised) {
    steps.step = forward_rows<C>;
  } else {
    steps.step = [](const Forward& s) noexcept {
      for_each_unit(s, [&](std::int64_t row, std::int64_t unit) { forward_units<C>(s, row, unit, DoubleLanes{}); });
    };
  }
  if constexpr (C::kInnerGates > 0) {
    steps.step_inner = [](const Forward& s) noexcept {
      for_each_unit(s,
                    [&](std::int64_t row, std::int64_t unit) { forward_inner_units<C>(s, row, unit, DoubleLanes{}); });
    };
  }
  if constexpr (kTraining && C::kNormalised) {
    steps.step_backward = backward_rows<C>;
  } else if constexpr (kTraining) {
    steps.step_backward = [](const Backward& s) noexcept {
      for_each_unit(s, [&](std::int64_t row, std::int64_t unit) { backward_units<C>(s, row, unit, DoubleLanes{}); });
    };
    if constexpr (C::kInnerGates > 0) {
      steps.step_inner_backward = [](const Backward& s) noexcept {
        for_each_unit(
            s, [&](std::int64_t row, std::int64_t unit) { backward_inner_units<C>(s, row, unit, DoubleLanes{}); });
      };
    }
  }
  return steps;
}

template <class C>
constexpr Cell describe() {
  Cell cell;
  cell.name = C::kName;
  cell.summary = C::kSummary;
  cell.equations = C::kEquations;
  cell.gates = C::kGates;
  cell.states = C::kStates;
  cell.unit_weights = C::kUnitWeights;
  cell.recurrent_states = C::kRecurrentStates;
  cell.extras = C::kExtras;
  cell.inner_gates = C::kInnerGates;
  cell.input_gates = C::kInputGates;
  cell.forget_gates = C::kForgetGates;
  cell.keep_gates = C::kKeepGates;
  cell.write_gates = C::kWriteGates;
  cell.split_gates = C::kSplitGates;
  cell.projection = C::kProjection;
  cell.fixed_unit_weights = C::kFixedUnitWeights;
  cell.lower = C::kLower;
  if (C::kModules) cell.blocks = RecurrentBlocks::kSlowerModules;
  if (C::kHeads) cell.blocks = RecurrentBlocks::kHeads;
  if (C::kCandidateSeesH) cell.blocks = RecurrentBlocks::kCandidateSeesH;
  cell.output_layer = C::kOutputLayer;
  cell.entry = C::kEntry;
  cell.lowest_layer = C::kLowestLayer;
  cell.normalised = C::kNormalised;
  cell.normalised_state = C::kNormalisedState;
  if constexpr (requires { C::kMatrixMemory; }) {
    cell.matrix_memory = C::kMatrixMemory;
  } else {
    cell.double_steps = steps_of<C>();
  }
  return cell;
}

template <std::size_t... kShape>
std::array<Cell, kExpressionShapes> describe_expressions(std::index_sequence<kShape...>) {
  return {describe<Expression<kShape / 4 + 1, kShape / 2 % 2 + 1, kShape % 2 == 1>>()...};
}

}  // namespace reference

std::span<const Cell> reference_expressions() {
  static const auto cells = reference::describe_expressions(std::make_index_sequence<kExpressionShapes>());
  return cells;
}

std::span<const Cell> reference_cells() {
#define CAROUSEL_CELL(header, Struct) reference::describe<reference::Struct>(),
  static const Cell kCells[] = {
#include "cells/cells.def"
  };
#undef CAROUSEL_CELL
  return kCells;
}

}  // namespace carousel
