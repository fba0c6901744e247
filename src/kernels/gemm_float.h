// gemm_float.h: what gemm.cpp asks of the library that multiplies floats. One of two files is compiled:
// gemm_float_dnnl.cpp, or with CAROUSEL_INFERENCE_ONLY gemm_float_packed.cpp.
#pragma once

#include "kernels/gemm.h"

namespace carousel::kernels {

// The whole product on the calling thread. REQUIRES: no size is 0.
void gemm_float(const Gemm<float>& product);

// C = beta C, without a look at what C holds if beta is 0.
template <class T>
void scale_rows(const Gemm<T>& product) noexcept;

}  // namespace carousel::kernels
