// gemm.h: matrix products.
//
// Row-major, with leading dimensions (elements from one row to the next). double is a plain loop, for the oracles.
// The bits are the same for any number of threads. Those of an element of a float C do not depend on the other rows and
// columns nor on how A and B are stored: it is summed in runs of k that follow from k and the instruction set alone.
#pragma once

#include <cstdint>
#include <span>

namespace carousel::kernels {

enum class Op { kPlain, kTransposed };

// C[M,N] = beta C + op(A)[M,K] op(B)[K,N]. With beta 0, C need not be initialised. C must not overlap A or B.
template <class T>
struct Gemm {
  Op op_a = Op::kPlain, op_b = Op::kPlain;
  std::int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  std::int64_t lda = 0;  // row length of A as stored
  const T* b = nullptr;
  std::int64_t ldb = 0;
  T beta = 0;
  T* c = nullptr;
  std::int64_t ldc = 0;
};

template <class T>
void gemm(const Gemm<T>& product);  // splits over the thread pool

template <class T>
void gemm_on_this_thread(const Gemm<T>& product);

// Many products, each as gemm_on_this_thread() computes it, spread over the thread pool. No C may overlap another.
template <class T>
void gemm_batch(std::span<const Gemm<T>> products);

}  // namespace carousel::kernels
