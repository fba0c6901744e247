// packed_matrix.h: a weight matrix packed once for many products with few rows (the recurrent product of every step).
//
// y[rows, n] = beta y + x[rows, k] W^T for W [n, k], or x[rows, n] W for the backward direction. Each element of y is
// one chain of fused multiply-adds over k in ascending order, whatever the number of rows: a row gives the same bits
// alone and in any batch, so a batch may be split over threads anywhere. (Without such an instruction, on the baseline
// of x86, it is a chain of products and sums, each rounded.)
#pragma once

#include <cstdint>

#include "kernels/gemm.h"

namespace carousel::kernels {

// Elements that pack() needs for an operand op(W) of shape [k, n].
std::int64_t packed_size(std::int64_t k, std::int64_t n) noexcept;

// Packs B = op(W) [k, n] (kPlain: W is stored [k, n]; kTransposed: W is stored [n, k]) with row length ldw into
// `packed` (packed_size(k, n) elements, 64-byte aligned). Splits over the thread pool.
template <class T>
void pack(Op op, std::int64_t k, std::int64_t n, const T* w, std::int64_t ldw, T* packed);

// y[rows, n] (row length ldy) = beta y + x[rows, k] (row length ldx) B. beta is 0 or 1. Runs on the calling thread and
// allocates nothing.
template <class T>
void multiply_packed(std::int64_t rows, std::int64_t n, std::int64_t k, const T* x, std::int64_t ldx, const T* packed,
                     T beta, T* y, std::int64_t ldy) noexcept;

}  // namespace carousel::kernels
