// gemm_float_packed.cpp: float products without oneDNN: B is packed, then multiplied as the weights of a stream are.
#include <vector>

#include "base/aligned.h"
#include "kernels/gemm_float.h"
#include "kernels/packed_matrix.h"

namespace carousel::kernels {
namespace {

using Buffer = std::vector<float, AlignedAllocator<float>>;

float* room(Buffer& buffer, std::int64_t elements) {
  if (std::ssize(buffer) < elements) buffer.resize(static_cast<std::size_t>(elements));
  return buffer.data();
}

}  // namespace

void gemm_float(const Gemm<float>& p) {
  thread_local Buffer packed_buffer, plain_buffer;  // kept, so that the same product again allocates nothing
  float* packed = room(packed_buffer, packed_size(p.k, p.n));
  pack<float>(p.op_b, p.k, p.n, p.b, p.ldb, packed);
  const float* a = p.a;
  std::int64_t lda = p.lda;
  if (p.op_a == Op::kTransposed) {  // only the gradients of weights
    float* plain = room(plain_buffer, p.m * p.k);
    for (std::int64_t l = 0; l < p.k; ++l) {
      for (std::int64_t i = 0; i < p.m; ++i) plain[i * p.k + l] = p.a[l * p.lda + i];
    }
    a = plain;
    lda = p.k;
  }
  if (p.beta != 0) scale_rows(p);
  multiply_packed<float>(p.m, p.n, p.k, a, lda, packed, p.beta == 0 ? 0.0f : 1.0f, p.c, p.ldc);
}

}  // namespace carousel::kernels
