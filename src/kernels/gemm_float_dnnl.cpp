#include <dnnl.h>
#include <omp.h>

#include "base/fail.h"
#include "kernels/gemm_float.h"

namespace carousel::kernels {

void gemm_float(const Gemm<float>& p) {
  // OpenMP keeps this setting per thread; with more than one thread oneDNN would open a team of its own.
  [[maybe_unused]] thread_local const bool single_threaded = (omp_set_num_threads(1), true);
  const auto letter = [](Op op) { return op == Op::kPlain ? 'N' : 'T'; };
  const dnnl_status_t status =
      dnnl_sgemm(letter(p.op_a), letter(p.op_b), p.m, p.n, p.k, 1.0f, p.a, p.lda, p.b, p.ldb, p.beta, p.c, p.ldc);
  if (status != dnnl_success) {
    fail(Code::kInternal, "gemm: oneDNN refused a product of {} x {} x {} (row lengths {}, {}, {}) with status {}", p.m,
         p.n, p.k, p.lda, p.ldb, p.ldc, static_cast<int>(status));
  }
}

}  // namespace carousel::kernels
