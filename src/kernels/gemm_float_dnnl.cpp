#include <dnnl.h>
#include <omp.h>

#include <algorithm>

#include "base/fail.h"
#include "kernels/gemm_float.h"

namespace carousel::kernels {
namespace {

void multiply_as_it_is(const Gemm<float>& p) {
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

// A transposed A whose rows are a multiple of 2 KiB apart (the gates of 128, 256, 512 units): what oneDNN reads one
// below the other then falls into the same few lines of the first cache, at less than half the speed. So A goes piece
// by piece through a copy with longer rows. The pieces follow from the sizes alone.
constexpr std::int64_t kSlowRows = 512, kPiece = 256, kPadding = 16;

void multiply_through_copies(Gemm<float> p) {
  alignas(64) float copy[kPiece * (kPiece + kPadding)];
  const Gemm<float> whole = p;
  p.a = copy;
  p.lda = kPiece + kPadding;
  for (std::int64_t row = 0; row < whole.m; row += kPiece) {
    p.m = std::min(kPiece, whole.m - row);
    p.c = whole.c + row * whole.ldc;
    p.beta = whole.beta;
    for (std::int64_t l = 0; l < whole.k; l += kPiece) {
      p.k = std::min(kPiece, whole.k - l);
      p.b = whole.b + (whole.op_b == Op::kPlain ? l * whole.ldb : l);
      for (std::int64_t i = 0; i < p.k; ++i) std::copy_n(whole.a + (l + i) * whole.lda + row, p.m, copy + i * p.lda);
      multiply_as_it_is(p);
      p.beta = 1;
    }
  }
}

}  // namespace

void gemm_float(const Gemm<float>& p) {
  constexpr std::int64_t kFewColumns = 32;  // for fewer a copy costs more than it wins
  if (p.op_a == Op::kTransposed && p.lda % kSlowRows == 0 && p.n >= kFewColumns) return multiply_through_copies(p);
  multiply_as_it_is(p);
}

}  // namespace carousel::kernels
