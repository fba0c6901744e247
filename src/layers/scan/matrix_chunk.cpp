#include "layers/scan/matrix_chunk.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "cells/matrix_step.h"
#include "kernels/packed_matrix.h"
#include "kernels/pointwise.h"

namespace carousel::detail {
namespace {

using kernels::Op;

constexpr std::int64_t kWide = kMatrixChunk;

// Hands out pieces of a workspace, each at a multiple of 64 bytes; of a null one it only counts.
template <class T>
class ChunkRoom {
 public:
  explicit ChunkRoom(T* begin) : begin_(begin) {}
  T* take(std::int64_t count) {
    T* piece = begin_ ? begin_ + taken : nullptr;
    taken += (count + 15) / 16 * 16;
    return piece;
  }
  std::int64_t taken = 0;

 private:
  T* begin_;
};

// to [columns, rows] = from [rows, columns] transposed, row `r` times factor[r] (null: as it is).
template <class T>
void turn(std::int64_t rows, std::int64_t columns, const T* from, const T* factor, T* to) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const T by = factor ? factor[r] : T(1);
    for (std::int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c] * by;
  }
}

// to [rows, columns] = from, row r times factor[r].
template <class T>
void scale_rows_by(std::int64_t rows, std::int64_t columns, const T* from, const T* factor, T* to) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) to[r * columns + c] = from[r * columns + c] * factor[r];
  }
}

// Sixteen sums side by side: as many as a machine's vectors hold.
template <class T>
T inner_product(std::int64_t count, const T* a, const T* b) {
  constexpr std::int64_t kSums = 16;
  T sums[kSums] = {};
  std::int64_t j = 0;
  for (; j + kSums <= count; j += kSums) {
    for (std::int64_t l = 0; l < kSums; ++l) sums[l] += a[j + l] * b[j + l];
  }
  for (; j < count; ++j) sums[j % kSums] += a[j] * b[j];
  T total = 0;
  for (const T sum : sums) total += sum;
  return total;
}

template <class T>
void exp_in_place(std::int64_t count, T* x) {
  const auto size = static_cast<std::size_t>(count);
  kernels::exp(std::span<const T>(x, size), std::span<T>(x, size));
}

}  // namespace

template <class T>
std::int64_t MatrixChunk<T>::workspace_size(std::int64_t head_size, bool backward) noexcept {
  return MatrixChunk(MatrixMemory::kNone, head_size, backward, nullptr).taken_;
}

template <class T>
MatrixChunk<T>::MatrixChunk(MatrixMemory memory, std::int64_t head_size, bool backward, T* workspace) noexcept
    : memory_(memory), d_(head_size) {
  ChunkRoom<T> room(workspace);
  const std::int64_t d = head_size, wide = d + 1, L = kWide;
  for (T** piece : {&q, &k, &o, &h}) *piece = room.take(L * d);
  for (T** piece : {&v, &y_, &scaled_}) *piece = room.take(L * wide);
  for (T** piece : {&i, &f, &log_f_, &m_, &input_, &forget_, &least_, &decay_}) *piece = room.take(L);
  for (T** piece : {&factors_, &weights_}) *piece = room.take(L * L);
  turned_ = room.take(L * std::max(wide, L));
  packed_ = room.take(kernels::packed_size(std::max(wide, L), std::max(wide, L)));
  if (backward) {
    for (T** piece : {&dq_, &dk_, &dv_, &do_}) *piece = room.take(L * d);
    row_ = room.take(L);
    dweights_ = room.take(L * L);
  }
  taken_ = room.taken;
}

// y [rows, n] = beta y + x [rows, k_size] B for the matrix in packed_.
template <class T>
void MatrixChunk<T>::multiply(std::int64_t rows, std::int64_t n, std::int64_t k_size, const T* x, T beta,
                              T* y) const noexcept {
  kernels::multiply_packed<T>(rows, n, k_size, x, k_size, packed_, beta, y, n);
}

// The factors of the steps and their products.
template <class T>
void MatrixChunk<T>::prepare() {
  const std::int64_t L = steps;
  const auto size = static_cast<std::size_t>(L * d_);
  kernels::sigmoid(std::span<const T>(o, size), std::span<T>(o, size));
  log_forget(memory_, L, f, log_f_);
  T before = m;
  for (std::int64_t t = 0; t < L; ++t) {
    m_[t] = std::max(log_f_[t] + before, i[t]);
    input_[t] = i[t] - m_[t];
    forget_[t] = log_f_[t] + before - m_[t];
    least_[t] = -m_[t];
    before = m_[t];
  }
  exp_in_place(L, input_);
  exp_in_place(L, forget_);
  exp_in_place(L, least_);
  for (std::int64_t t = 0; t < L; ++t) {
    T* D = factors_ + t * L;
    for (std::int64_t s = 0; s < t; ++s) D[s] = D[s - L] * forget_[t];
    D[t] = input_[t];
    decay_[t] = t == 0 ? forget_[0] : decay_[t - 1] * forget_[t];
    v[t * (d_ + 1) + d_] = T(1);
  }
}

// weights_ and Y.
template <class T>
void MatrixChunk<T>::attend(const T* memory) {
  const std::int64_t L = steps, wide = d_ + 1;
  kernels::pack<T>(Op::kTransposed, d_, L, k, d_, packed_);
  multiply(L, L, d_, q, T(0), weights_);
  for (std::int64_t t = 0; t < L; ++t) {
    for (std::int64_t s = 0; s <= t; ++s) weights_[t * L + s] *= factors_[t * L + s];
    std::fill(weights_ + t * L + t + 1, weights_ + (t + 1) * L, T(0));
  }
  kernels::pack<T>(Op::kPlain, L, wide, v, wide, packed_);
  multiply(L, wide, L, weights_, T(0), y_);
  scale_rows_by(L, d_, q, decay_, scaled_);
  kernels::pack<T>(Op::kTransposed, d_, wide, memory, d_, packed_);
  multiply(L, wide, d_, scaled_, T(1), y_);
}

template <class T>
void MatrixChunk<T>::advance(const T* memory, T* next) {
  const std::int64_t L = steps, wide = d_ + 1;
  for (std::int64_t j = 0; j < wide * d_; ++j) next[j] = decay_[L - 1] * memory[j];
  turn(L, wide, v, factors_ + (L - 1) * L, turned_);
  kernels::pack<T>(Op::kPlain, L, d_, k, d_, packed_);
  multiply(wide, d_, L, turned_, T(1), next);
}

// What Y is divided by; never 0, so that 0 / 0 is 0.
template <class T>
T MatrixChunk<T>::bound(std::int64_t t) const noexcept {
  return std::max({std::abs(y_[t * (d_ + 1) + d_]), least_[t], std::numeric_limits<T>::min()});
}

template <class T>
void MatrixChunk<T>::forward(const T* memory, T* next) {
  prepare();
  attend(memory);
  for (std::int64_t t = 0; t < steps; ++t) {
    const T* y = y_ + t * (d_ + 1);
    const T by = bound(t);
    for (std::int64_t j = 0; j < d_; ++j) h[t * d_ + j] = o[t * d_ + j] * y[j] / by;
  }
  advance(memory, next);
  m = m_[steps - 1];
}

// y_ becomes the gradient of Y; row_[t] is the gradient of a common factor of all weights that make Y_t.
template <class T>
void MatrixChunk<T>::output_gradients() {
  for (std::int64_t t = 0; t < steps; ++t) {
    T* y = y_ + t * (d_ + 1);
    T *dh = h + t * d_, *gate = o + t * d_;
    const T by = bound(t), norm = y[d_];
    for (std::int64_t j = 0; j < d_; ++j) {
      const T ratio = y[j] / by, dratio = dh[j] * gate[j];
      do_[t * d_ + j] = dh[j] * ratio * gate[j] * (T(1) - gate[j]);
      dh[j] = dratio;
      y[j] = ratio;
    }
    const T sum = inner_product(d_, dh, y);
    const bool normalised = std::abs(norm) == by;
    row_[t] = normalised ? T(0) : sum;
    for (std::int64_t j = 0; j < d_; ++j) y[j] = dh[j] / by;
    y[d_] = normalised ? -sum / norm : T(0);
  }
}

// dV = W^T dY + D_L K dM^T
template <class T>
void MatrixChunk<T>::value_gradients(const T* dmemory) {
  const std::int64_t L = steps, wide = d_ + 1;
  turn<T>(L, L, weights_, nullptr, turned_);
  kernels::pack<T>(Op::kPlain, L, d_, y_, wide, packed_);
  multiply(L, d_, L, turned_, T(0), dv_);
  scale_rows_by(L, d_, k, factors_ + (L - 1) * L, scaled_);
  kernels::pack<T>(Op::kTransposed, d_, d_, dmemory, d_, packed_);
  multiply(L, d_, d_, scaled_, T(1), dv_);
}

// dS = D * dY V^T, then dQ = dS K + g dY M
template <class T>
void MatrixChunk<T>::query_gradients(const T* memory) {
  const std::int64_t L = steps, wide = d_ + 1;
  kernels::pack<T>(Op::kTransposed, wide, L, v, wide, packed_);
  multiply(L, L, wide, y_, T(0), dweights_);
  for (std::int64_t t = 0; t < L; ++t) {
    for (std::int64_t s = 0; s <= t; ++s) dweights_[t * L + s] *= factors_[t * L + s];
    std::fill(dweights_ + t * L + t + 1, dweights_ + (t + 1) * L, T(0));
  }
  kernels::pack<T>(Op::kPlain, L, d_, k, d_, packed_);
  multiply(L, d_, L, dweights_, T(0), dq_);
  scale_rows_by(L, wide, y_, decay_, scaled_);
  kernels::pack<T>(Op::kPlain, wide, d_, memory, d_, packed_);
  multiply(L, d_, wide, scaled_, T(1), dq_);
}

// dK = D_L V^ dM + dS^T Q, then dM = g_L dM + (g dY)^T Q
template <class T>
void MatrixChunk<T>::key_gradients(T* dmemory) {
  const std::int64_t L = steps, wide = d_ + 1;
  scale_rows_by(L, wide, v, factors_ + (L - 1) * L, scaled_);
  kernels::pack<T>(Op::kPlain, wide, d_, dmemory, d_, packed_);
  multiply(L, d_, wide, scaled_, T(0), dk_);
  kernels::pack<T>(Op::kPlain, L, d_, q, d_, packed_);
  turn<T>(L, L, dweights_, nullptr, turned_);
  multiply(L, d_, L, turned_, T(1), dk_);
  for (std::int64_t j = 0; j < wide * d_; ++j) dmemory[j] *= decay_[L - 1];
  turn(L, wide, y_, decay_, turned_);
  multiply(wide, d_, L, turned_, T(1), dmemory);
}

// Every weight of step s stands before k_s, so the gradient of a_i is dk k; lf of step t stands in all weights of the
// rows from t on and of M', except in those of the steps from t on. Where m is not a constant, because a final state
// has a gradient, it takes that of lf + m or of a_i, whichever it is.
template <class T>
void MatrixChunk<T>::gate_gradients(const T* memory, MatrixGradient<T>& gradient) {
  T sum = gradient.mass;
  const auto size = static_cast<std::size_t>(steps);
  std::transform(f, f + steps, forget_, [](T a) { return -a; });  // sigmoid(-a) is d log sigmoid(a) / d a
  kernels::sigmoid(std::span<const T>(forget_, size), std::span<T>(forget_, size));
  for (std::int64_t t = steps - 1; t >= 0; --t) {
    const T before = t == 0 ? m : m_[t - 1], di = inner_product(d_, dk_ + t * d_, k + t * d_);
    const bool kept = log_f_[t] + before > i[t];  // and so m grew by lf, else it became a_i
    sum += row_[t] - di;
    i[t] = kept ? di : row_[t] + gradient.m - sum;
    gradient.m = kept ? gradient.m + row_[t] - di : sum;
    f[t] = memory_ == MatrixMemory::kExponentialForget ? gradient.m : gradient.m * forget_[t];
  }
  gradient.mass = inner_product((d_ + 1) * d_, gradient.memory, memory);
  if (gradient.m == sum) gradient.m = gradient.mass;  // so that rounding does not add up over the chunks
}

template <class T>
void MatrixChunk<T>::backward(const T* memory, MatrixGradient<T>& gradient) {
  prepare();
  attend(memory);
  output_gradients();
  value_gradients(gradient.memory);
  query_gradients(memory);
  key_gradients(gradient.memory);
  gate_gradients(memory, gradient);
  std::swap(q, dq_);
  std::swap(k, dk_);
  std::swap(o, do_);
  for (std::int64_t t = 0; t < steps; ++t) std::copy_n(dv_ + t * d_, d_, v + t * (d_ + 1));
}

template class MatrixChunk<float>;
template class MatrixChunk<double>;

}  // namespace carousel::detail
