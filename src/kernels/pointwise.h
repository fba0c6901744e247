// pointwise.h: functions of one variable, element by element.
//
// out[i] = f(in[i]); the spans have the same length and are the same memory or do not overlap. float is vectorised, its
// errors are those of math-inl.h; double is std:: element by element. On the calling thread; the value of an element
// does not depend on its place, so the spans may be split anywhere.
#pragma once

#include <span>

namespace carousel::kernels {

void exp(std::span<const float> in, std::span<float> out) noexcept;
void exp(std::span<const double> in, std::span<double> out) noexcept;
void log(std::span<const float> in, std::span<float> out) noexcept;
void log(std::span<const double> in, std::span<double> out) noexcept;
void tanh(std::span<const float> in, std::span<float> out) noexcept;
void tanh(std::span<const double> in, std::span<double> out) noexcept;
void sigmoid(std::span<const float> in, std::span<float> out) noexcept;  // 1 / (1 + exp(-x))
void sigmoid(std::span<const double> in, std::span<double> out) noexcept;
void relu(std::span<const float> in, std::span<float> out) noexcept;  // max(x, 0)
void relu(std::span<const double> in, std::span<double> out) noexcept;
// x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3), and its derivative (Hendrycks and Gimpel 2016). It is their
// x (1 + tanh(u)) / 2, written so that nothing cancels far below 0.
void gelu(std::span<const float> in, std::span<float> out) noexcept;
void gelu(std::span<const double> in, std::span<double> out) noexcept;
void gelu_derivative(std::span<const float> in, std::span<float> out) noexcept;
void gelu_derivative(std::span<const double> in, std::span<double> out) noexcept;

}  // namespace carousel::kernels
