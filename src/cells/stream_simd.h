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

// values = scale integers, |integer| <= 1023; returns the scale, which is NaN if a value is not finite. The number of
// values is a multiple of L; `integers` has room for as many.
float to_integers(std::span<const float> values, std::int16_t* integers) noexcept;

}  // namespace carousel
