// matrix_chunk.h: some steps of one head of a matrix memory (cells/mlstm.h) at once, as products of matrices.
//
// d is the size of the head. With v^ = [v, 1] and the memory M = [C; n] of d + 1 rows, n is one more row of C:
//
//   M_t = f_t M_{t-1} + i_t v^_t k_t^T      y_t = M_t q_t      h_t = o_t y_t[0 .. d-1] / max(|y_t[d]|, exp(-m_t))
//
// and over L steps from M on, with D_ts = i_s f_{s+1} .. f_t (0 for s > t) and g_t = f_1 .. f_t:
//
//   Y = (D * Q K^T) V^ + g Q M^T      M' = g_L M + (D_L V^)^T K
//
// i and f are the stabilised factors of the steps, at most 1, so nothing overflows. Backward, h does not depend on how
// m is chosen: m counts as a constant, except where a final m or a final C or n (which m scales) has a gradient itself.
#pragma once

#include <cstdint>

#include "cells/cell.h"

namespace carousel::detail {

inline constexpr std::int64_t kMatrixChunk = 32;  // the most steps of one chunk

// What a head's gradient carries from chunk to chunk, backwards.
template <class T>
struct MatrixGradient {
  T* memory = nullptr;  // [d + 1, d]: of M after the chunk, then of M before it
  T mass = 0;           // the sum of `memory` times M, element by element, at the same place
  T m = 0;              // of m, at the same place; `mass` where no gradient of a final state is on its way
};

// Buffers of L = `steps` steps, in the order in which the memory passes through them; all lie in one workspace.
template <class T>
class MatrixChunk {
 public:
  // Elements of the workspace that a constructor takes; backward() needs more.
  static std::int64_t workspace_size(std::int64_t head_size, bool backward) noexcept;
  // Borrows `workspace`, 64-byte aligned.
  MatrixChunk(MatrixMemory memory, std::int64_t head_size, bool backward, T* workspace) noexcept;

  std::int64_t steps = 0;  // at most kMatrixChunk
  // In: q, k [L, d]; v [L, d + 1], its last column is of no account; o [L, d], i, f [L] before their functions.
  // After backward(): the gradients of all that.
  T *q, *k, *v, *o, *i, *f;
  T* h;     // [L, d]: out of forward(); in of backward(): its gradient
  T m = 0;  // in: before the first step; out of forward(): after the last

  // M, M' [d + 1, d]; they may be the same memory.
  void forward(const T* memory, T* next);
  // REQUIRES: the inputs and m are those of forward().
  void backward(const T* memory, MatrixGradient<T>& gradient);

 private:
  void prepare();
  void attend(const T* memory);
  void advance(const T* memory, T* next);
  T bound(std::int64_t step) const noexcept;
  void output_gradients();
  void value_gradients(const T* dmemory);
  void key_gradients(T* dmemory);
  void query_gradients(const T* memory);
  void gate_gradients(const T* memory, MatrixGradient<T>& gradient);
  void multiply(std::int64_t rows, std::int64_t n, std::int64_t k_size, const T* x, T beta, T* y) const noexcept;

  MatrixMemory memory_;
  std::int64_t d_, taken_;                     // taken_: elements of the workspace
  T *log_f_, *m_, *input_, *forget_, *least_;  // [L]: lf, m after the step, i, f, exp(-m)
  T* decay_;                                   // [L]: g
  T* factors_;                                 // [L, L]: D, of which s <= t is filled
  T* weights_;                                 // [L, L]: D * Q K^T
  T* y_;                                       // [L, d + 1]; backward: their gradients
  T *scaled_, *turned_, *packed_;              // to work in: [L, d + 1], [d + 1 or L, L], a packed matrix
  T *dq_, *dk_, *dv_, *do_;                    // backward only: [L, d]
  T *row_, *dweights_;                         // [L]: gradients of a factor of all weights of a row; [L, L]: D * dY V^T
};

}  // namespace carousel::detail
