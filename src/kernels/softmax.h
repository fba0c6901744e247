// softmax.h: softmax over the last axis of [rows, classes], and its cross entropy with one label per row.
//
//   p_k = exp(x_k - max x) / sum_j exp(x_j - max x)      log p_k = (x_k - max x) - log sum_j exp(x_j - max x)
//
// Rows follow one another without gaps. Rows are computed on the thread pool, each by one thread in a fixed order: the
// same bits for any number of threads. Output may be the memory of the input. classes is at least 1. float is
// vectorised, double is element by element. A row that holds NaN or +infinity gives NaN.
#pragma once

#include <cstdint>

namespace carousel::kernels {

template <class T>
void softmax(std::int64_t rows, std::int64_t classes, const T* x, T* p);
template <class T>
void log_softmax(std::int64_t rows, std::int64_t classes, const T* x, T* log_p);

// dx_k = p_k (dp_k - sum_j dp_j p_j), from the result p and its gradient dp. dx may be dp.
template <class T>
void softmax_backward(std::int64_t rows, std::int64_t classes, const T* p, const T* dp, T* dx);
// dx_k = d_k - p_k sum_j d_j, from the result log p and its gradient d. dx may be d.
template <class T>
void log_softmax_backward(std::int64_t rows, std::int64_t classes, const T* log_p, const T* d, T* dx);

// Cross entropy of logits x with labels y, class weights w and label smoothing s (PyTorch's cross_entropy, before the
// reduction over rows), K classes:
//   loss = -(1 - s) w_y log p_y - s / K sum_k w_k log p_k
//   dx_k = scale ((1 - s) w_y (p_k - [k = y]) + s / K (p_k sum_j w_j - w_k))
template <class T>
struct CrossEntropy {
  std::int64_t rows = 0, classes = 0;
  const T* x = nullptr;                  // [rows, classes]
  const std::int32_t* labels = nullptr;  // [rows]; a negative label: this row's loss and gradient are 0
  const float* class_weights = nullptr;  // [classes], or null: all 1
  double smoothing = 0;
  T scale = 1;               // of the gradient
  double* losses = nullptr;  // [rows]
  T* dx = nullptr;           // [rows, classes], or null: not wanted. May be x.
};
template <class T>
void cross_entropy(const CrossEntropy<T>& job);

}  // namespace carousel::kernels
