// norm.h: layer normalisation over the last axis of x [rows, n] (Ba et al. 2016; PyTorch's layer_norm).
//
//   mean = 1/n sum_j x_j     r = 1 / sqrt(1/n sum_j (x_j - mean)^2 + epsilon)     u_j = (x_j - mean) r
//   y_j = gain_j u_j + bias_j
//
// Rows follow one another without gaps. Work is split over the thread pool by rows or columns alone: the same bits for
// any number of threads. float is vectorised; double is the same code with fewer lanes. Nothing is allocated.
#pragma once

#include <cstdint>

namespace carousel::kernels {

template <class T>
struct LayerNorm {
  std::int64_t rows = 0, n = 0;
  const T* x = nullptr;     // [rows, n]
  const T* gain = nullptr;  // [n]
  const T* bias = nullptr;  // [n]
  double epsilon = 1e-5;
  T* mean = nullptr;   // [rows], out: for the backward pass
  T* scale = nullptr;  // [rows], out: r
  T* y = nullptr;      // [rows, n], out; may be x if there is no backward pass
};
template <class T>
void layer_norm(const LayerNorm<T>& job);

// With d_j = gain_j dy_j:  dx_j = r (d_j - 1/n sum d - u_j 1/n sum (d u))   dgain_j = sum_rows dy_j u_j   dbias_j =
// sum_rows dy_j A null result is not wanted; betas are 0 (overwrite) or 1 (add).
template <class T>
struct LayerNormBackward {
  std::int64_t rows = 0, n = 0;
  const T *x = nullptr, *gain = nullptr, *mean = nullptr, *scale = nullptr, *dy = nullptr;
  T *dx = nullptr, *dgain = nullptr, *dbias = nullptr;
  T beta_x = 0, beta_gain = 0, beta_bias = 0;
};
template <class T>
void layer_norm_backward(const LayerNormBackward<T>& job);

// One row on the calling thread: u_j as above; returns r. u may be x.
template <class T>
T normalise_row(const T* x, std::int64_t n, double epsilon, T* u) noexcept;

// From the gradient d of u to that of x, in place: r (d_j - 1/n sum d - u_j 1/n sum (d u)).
template <class T>
void normalise_row_backward(const T* u, T r, std::int64_t n, T* d) noexcept;

}  // namespace carousel::kernels
