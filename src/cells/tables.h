// tables.h: the two halves of the table of cells: descriptions with the double reference, and the float SIMD functions.
// Both are in the order of cells.def.
#pragma once

#include "cells/cell.h"

namespace carousel {

struct SimdCell {
  CellSteps<float> steps;
  StreamFinish stream_finish, stream_finish_inner;
};

std::span<const Cell> reference_cells();  // without what simd_cells() has
std::span<const SimdCell> simd_cells();   // for the best instruction set of this machine

}  // namespace carousel
