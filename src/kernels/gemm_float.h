// gemm_float.h: a product of floats on the calling thread. Internal to the products of gemm.h.
#pragma once

#include "kernels/gemm.h"

namespace carousel::kernels {

// The whole product on the calling thread. REQUIRES: no size is 0.
void gemm_float(const Gemm<float>& product);

// C = beta C, without a look at what C holds if beta is 0.
template <class T>
void scale_rows(const Gemm<T>& product) noexcept;

}  // namespace carousel::kernels
