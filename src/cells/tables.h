// tables.h: the two halves of the table of cells: descriptions with the double reference, and the float SIMD functions.
// Both are in the order of cells.def.
#pragma once

#include "cells/cell.h"

namespace carousel {

struct SimdCell {
  void (*step)(const StepForward<float>&) noexcept;
  void (*step_backward)(const StepBackward<float>&) noexcept;
};

std::span<const Cell> reference_cells();  // step_float and step_backward_float are null here
std::span<const SimdCell> simd_cells();   // for the best instruction set of this machine

}  // namespace carousel
