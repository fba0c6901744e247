// gemm_float.h: a product of floats on the calling thread. Internal to the products of gemm.h.
#pragma once

#include "kernels/gemm.h"

namespace carousel::kernels {

// Floats that a product needs to work in; a multiple of a cache line.
std::int64_t gemm_float_workspace(const Gemm<float>& product) noexcept;

// The whole product on the calling thread; workspace: 64-byte aligned. REQUIRES: no size is 0.
void gemm_float(const Gemm<float>& product, float* workspace);

// C = beta C, without a look at what C holds if beta is 0.
template <class T>
void scale_rows(const Gemm<T>& product) noexcept;

}  // namespace carousel::kernels
