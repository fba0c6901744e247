// tables.h: the two halves of the table of cells: descriptions with the double reference, and the float SIMD functions.
// Both are in the order of cells.def.
#pragma once

#include "cells/cell.h"
#include "cells/cell_program.h"

namespace carousel {

struct SimdCell {
  CellSteps<float> steps;
  StreamFinish stream_finish, stream_finish_inner;
};

std::span<const Cell> reference_cells();  // without what simd_cells() has
std::span<const SimdCell> simd_cells();   // for the best instruction set of this machine

// The cells that run a program, one for each number of gates and states, with split gates and without.
std::span<const Cell> reference_expressions();
std::span<const SimdCell> simd_expressions();
// None in a library for inference only: they would be a tenth of it.
inline constexpr std::size_t kExpressionShapes = kTraining ? 4 * CellProgram::kMaxGates : 0;
inline std::size_t expression_shape(const CellProgram& program) {
  return static_cast<std::size_t>(4 * (program.gates - 1) + 2 * (program.states - 1) + (program.split ? 1 : 0));
}

}  // namespace carousel
