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

// Whether a product is large enough for several threads; never if there is one thread only.
bool is_worth_sharing(std::int64_t rows, std::int64_t n, std::int64_t k) noexcept;

// The same product; if it is worth sharing, its columns are dealt out over the thread pool: no bit depends on how.
void multiply_packed_on_threads(std::int64_t rows, std::int64_t n, std::int64_t k, const float* x, std::int64_t ldx,
                                const float* packed, float beta, float* y, std::int64_t ldy);

// What becomes of the y that is there: nothing, its sums go on, or the product is added to it when it is complete.
enum class Into { kReplace, kContinue, kAdd };

// What gemm_float() asks for beyond that, piece by piece of a large product. double has only the form of rows.
template <class T>
struct PackedProduct {
  std::int64_t rows = 0, n = 0, k = 0;
  const T* x = nullptr;  // [rows, k], row length ldx
  std::int64_t ldx = 0;
  bool interleaved = false;  // x is what interleave() gives, and has no ldx
  const T* b = nullptr;      // packed;
  std::int64_t ldb = 0;  // or, if x is interleaved, B as it is [k, n]: its row length; panel_columns() divides n then
  Into into = Into::kReplace;
  T* y = nullptr;  // [rows, n]
  std::int64_t ldy = 0;
};

template <class T>
std::int64_t panel_columns() noexcept;

template <class T>
void multiply_packed(const PackedProduct<T>& product) noexcept;

// The same as pack(), by the calling thread alone.
template <class T>
void pack_on_this_thread(Op op, std::int64_t k, std::int64_t n, const T* w, std::int64_t ldw, T* packed);

// op(x) [rows, k] in the order in which a product reads it: rows * k elements.
template <class T>
void interleave(Op op, std::int64_t rows, std::int64_t k, const T* x, std::int64_t ldx, T* interleaved);

// The longest k for which a panel of B stays near while many rows pass.
template <class T>
std::int64_t short_k() noexcept;

}  // namespace carousel::kernels
