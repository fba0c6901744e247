// softmax_rows.h: the loops over one row that softmax.cpp is made of. Not for use elsewhere.
//
// n is at least 1; an output may be the memory of an input. float is vectorised, its order
// of a sum depends on n and the instruction set; double is element by element.
#pragma once

#include <cstdint>

namespace carousel::kernels {

float row_peak(const float* x, std::int64_t n) noexcept;  // the largest; a NaN may be overlooked
// powers_k = exp(x_k - peak) unless `powers` is null; returns their sum, NaN if any x is NaN.
float row_powers(const float* x, std::int64_t n, float peak, float* powers) noexcept;
void row_affine(const float* x, std::int64_t n, float factor, float shift, float* y) noexcept;  // x factor + shift
void row_shift(const float* x, std::int64_t n, float peak, float shift, float* y) noexcept;     // (x - peak) - shift
float row_dot(const float* a, const float* b, std::int64_t n) noexcept;
float row_sum(const float* a, std::int64_t n) noexcept;
// dx_k = p_k (dp_k - mean)
void row_softmax_gradient(const float* p, const float* dp, std::int64_t n, float mean, float* dx) noexcept;
// dx_k = d_k - exp(log_p_k) sum
void row_log_softmax_gradient(const float* log_p, const float* d, std::int64_t n, float sum, float* dx) noexcept;

double row_peak(const double* x, std::int64_t n) noexcept;
double row_powers(const double* x, std::int64_t n, double peak, double* powers) noexcept;
void row_affine(const double* x, std::int64_t n, double factor, double shift, double* y) noexcept;
void row_shift(const double* x, std::int64_t n, double peak, double shift, double* y) noexcept;
double row_dot(const double* a, const double* b, std::int64_t n) noexcept;
double row_sum(const double* a, std::int64_t n) noexcept;
void row_softmax_gradient(const double* p, const double* dp, std::int64_t n, double mean, double* dx) noexcept;
void row_log_softmax_gradient(const double* log_p, const double* d, std::int64_t n, double sum, double* dx) noexcept;

}  // namespace carousel::kernels
