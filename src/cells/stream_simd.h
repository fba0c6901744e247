// stream_simd.h: the kernels behind StreamLayer, for the best instruction set of this machine. Internal to src/cells.
#pragma once

#include <cstdint>
#include <span>

#include "cells/cell.h"

namespace carousel {

struct StreamCell {
  StreamKernel formats[3];  // in the order of WeightFormat
};

std::span<const StreamCell> stream_cells();  // in the order of cells.def
std::int64_t stream_lanes();                 // floats in a vector, L

}  // namespace carousel
