// stream_simd.h: the kernels behind StreamLayer, for the best instruction set of this machine. Internal to src/cells.
#pragma once

#include <cstdint>

#include "cells/stream_layer.h"

namespace carousel {

// The products of one pass over the gates of a step.
StreamKernel stream_products(WeightFormat format);
std::int64_t stream_lanes();  // floats in a vector, L

}  // namespace carousel
