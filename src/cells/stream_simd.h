// stream_simd.h: the kernels behind StreamLayer, for the best instruction set of this machine. Internal to src/cells.
#pragma once

#include <cstdint>

#include "cells/cell.h"

namespace carousel {

struct StreamProducts {
  StreamKernel formats[3];  // in the order of WeightFormat
};

// The products of one pass over `gates` gates in this WeightFormat. split: W x and R h apart, for 3 gates only.
StreamKernel stream_products(int gates, bool split, int format);
std::int64_t stream_lanes();  // floats in a vector, L

}  // namespace carousel
