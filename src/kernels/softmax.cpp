#include "kernels/softmax.h"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "kernels/softmax_rows.h"

namespace carousel::kernels {
namespace {

// Calls f(row) for every row, about 16 thousand elements to a task.
template <class F>
void for_rows(std::int64_t rows, std::int64_t classes, const F& f) {
  const std::int64_t group = std::max<std::int64_t>(1, 16384 / classes);
  parallel_for((rows + group - 1) / group, [&](std::int64_t index) {
    const std::int64_t end = std::min(rows, (index + 1) * group);
    for (std::int64_t row = index * group; row < end; ++row) f(row);
  });
}

template <class T>
void cross_entropy_row(const CrossEntropy<T>& job, std::int64_t row, double sum_of_weights) {
  const std::int64_t n = job.classes, label = job.labels[row];
  const T* x = job.x + row * n;
  T* dx = job.dx ? job.dx + row * n : nullptr;
  if (label < 0) {
    job.losses[row] = 0;
    if (dx) std::fill(dx, dx + n, T{0});
    return;
  }
  const auto weight = [&](std::int64_t k) {
    return job.class_weights ? static_cast<double>(job.class_weights[k]) : 1.0;
  };
  const T peak = row_peak(x, n), x_label = x[label];
  const double hit = (1 - job.smoothing) * weight(label), share = job.smoothing / static_cast<double>(n);
  double weighted = 0;  // sum of w_k x_k
  if (share > 0) {
    for (std::int64_t k = 0; k < n; ++k) weighted += weight(k) * static_cast<double>(x[k] - peak);
  }
  const double sum = static_cast<double>(row_powers(x, n, peak, dx));
  const double mass = hit + share * sum_of_weights;
  job.losses[row] = mass * std::log(sum) - hit * static_cast<double>(x_label - peak) - share * weighted;
  if (!dx) return;
  const double scale = static_cast<double>(job.scale);
  row_affine(dx, n, static_cast<T>(scale * mass / sum), job.class_weights ? T{0} : static_cast<T>(-scale * share), dx);
  if (job.class_weights && share > 0) {
    for (std::int64_t k = 0; k < n; ++k) dx[k] -= static_cast<T>(scale * share * weight(k));
  }
  dx[label] -= static_cast<T>(scale * hit);
}

}  // namespace

template <class T>
void softmax(std::int64_t rows, std::int64_t classes, const T* x, T* p) {
  for_rows(rows, classes, [=](std::int64_t row) {
    T* out = p + row * classes;
    const T sum = row_powers(x + row * classes, classes, row_peak(x + row * classes, classes), out);
    row_affine(out, classes, T{1} / sum, T{0}, out);
  });
}

template <class T>
void log_softmax(std::int64_t rows, std::int64_t classes, const T* x, T* log_p) {
  for_rows(rows, classes, [=](std::int64_t row) {
    const T* in = x + row * classes;
    const T peak = row_peak(in, classes), sum = row_powers(in, classes, peak, static_cast<T*>(nullptr));
    row_shift(in, classes, peak, static_cast<T>(std::log(static_cast<double>(sum))), log_p + row * classes);
  });
}

template <class T>
void softmax_backward(std::int64_t rows, std::int64_t classes, const T* p, const T* dp, T* dx) {
  for_rows(rows, classes, [=](std::int64_t row) {
    const T *result = p + row * classes, *gradient = dp + row * classes;
    row_softmax_gradient(result, gradient, classes, row_dot(result, gradient, classes), dx + row * classes);
  });
}

template <class T>
void log_softmax_backward(std::int64_t rows, std::int64_t classes, const T* log_p, const T* d, T* dx) {
  for_rows(rows, classes, [=](std::int64_t row) {
    const T* gradient = d + row * classes;
    row_log_softmax_gradient(log_p + row * classes, gradient, classes, row_sum(gradient, classes), dx + row * classes);
  });
}

template <class T>
void cross_entropy(const CrossEntropy<T>& job) {
  double sum_of_weights = static_cast<double>(job.classes);
  if (job.class_weights) {
    sum_of_weights = 0;
    for (std::int64_t k = 0; k < job.classes; ++k) sum_of_weights += static_cast<double>(job.class_weights[k]);
  }
  for_rows(job.rows, job.classes, [&](std::int64_t row) { cross_entropy_row(job, row, sum_of_weights); });
}

template void softmax(std::int64_t, std::int64_t, const float*, float*);
template void softmax(std::int64_t, std::int64_t, const double*, double*);
template void log_softmax(std::int64_t, std::int64_t, const float*, float*);
template void log_softmax(std::int64_t, std::int64_t, const double*, double*);
template void softmax_backward(std::int64_t, std::int64_t, const float*, const float*, float*);
template void softmax_backward(std::int64_t, std::int64_t, const double*, const double*, double*);
template void log_softmax_backward(std::int64_t, std::int64_t, const float*, const float*, float*);
template void log_softmax_backward(std::int64_t, std::int64_t, const double*, const double*, double*);
template void cross_entropy(const CrossEntropy<float>&);
template void cross_entropy(const CrossEntropy<double>&);

}  // namespace carousel::kernels
