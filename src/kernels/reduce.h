// reduce.h: sums and checks over plain arrays, on the thread pool.
//
// The order of every sum follows from the sizes (and the instruction set), not from the number of threads, which
// therefore gives the same bits always. Nothing is allocated.
#pragma once

#include <cstdint>
#include <span>

namespace carousel::kernels {

// sum_i x_i^2, squared and added in double.
double sum_of_squares(std::span<const float> x);
double sum_of_squares(std::span<const double> x);

// x = factor x
void scale(std::span<float> x, float factor);
void scale(std::span<double> x, double factor);

// The index of the first NaN or infinity, or -1.
std::int64_t first_non_finite(std::span<const float> x);
std::int64_t first_non_finite(std::span<const double> x);
template <class T>
bool has_non_finite(std::span<const T> x) {
  return first_non_finite(x) >= 0;
}

// out[j] = beta out[j] + sum_i x[i, j] for x [rows, n] with row length ldx (the gradient of a bias). beta is 0 or 1.
// Rows are added in ascending order, 64 at a time into a sum of their own, so that rounding grows with rows / 64.
template <class T>
void column_sums(std::int64_t rows, std::int64_t n, const T* x, std::int64_t ldx, T beta, T* out);

}  // namespace carousel::kernels
