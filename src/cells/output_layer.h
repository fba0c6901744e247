// output_layer.h: the output layer of a cell that stores its output (jordan.h), behind the product W_hr u.
#pragma once

#include <cstdint>
#include <string_view>

namespace carousel {

enum class OutputActivation { kNone, kTanh, kSigmoid, kSoftmax };
inline constexpr std::string_view kOutputActivations[] = {"none", "tanh", "sigmoid", "softmax"};

// Throws Error{kUsage} that lists the known ones.
OutputActivation parse_output_activation(std::string_view name);

struct OutputLayer {
  OutputActivation activation = OutputActivation::kNone;  // g
  double decay = 0;                                       // of the context s
};

// y [rows, P]: in: W_hr u, out: g(W_hr u + bias); s [rows, P] becomes decay s + y. A null bias is left out. On the
// calling thread, without allocations.
template <class T>
struct OutputRows {
  std::int64_t rows = 0, size = 0;  // size: P
  const T* bias = nullptr;
  T *y = nullptr, *s = nullptr;
};
template <class T>
void finish_output(const OutputLayer& layer, const OutputRows<T>& rows) noexcept;

// From the gradient of y [P] to that of what g was taken of, in place, for one row.
template <class T>
void output_backward(const OutputLayer& layer, std::int64_t size, const T* y, T* dy) noexcept;

}  // namespace carousel
