#include "cells/output_layer.h"

#include <span>

#include "base/fail.h"
#include "kernels/pointwise.h"
#include "kernels/softmax_rows.h"

namespace carousel {

OutputActivation parse_output_activation(std::string_view name) {
  for (int k = 0; k < 4; ++k) {
    if (kOutputActivations[k] == name) return static_cast<OutputActivation>(k);
  }
  fail(Code::kUsage, "unknown output activation '{}': expected none, tanh, sigmoid or softmax", name);
}

namespace {

template <class T>
void activate(OutputActivation activation, std::int64_t size, T* y) noexcept {
  const std::span<T> row(y, static_cast<std::size_t>(size));
  switch (activation) {
    case OutputActivation::kNone:
      return;
    case OutputActivation::kTanh:
      return kernels::tanh(std::span<const T>(row), row);
    case OutputActivation::kSigmoid:
      return kernels::sigmoid(std::span<const T>(row), row);
    case OutputActivation::kSoftmax: {
      const T sum = kernels::row_powers(y, size, kernels::row_peak(y, size), y);
      kernels::row_affine(y, size, T(1) / sum, T(0), y);
    }
  }
}

}  // namespace

template <class T>
void finish_output(const OutputLayer& layer, const OutputRows<T>& r) noexcept {
  const T decay = static_cast<T>(layer.decay);
  for (std::int64_t row = 0; row < r.rows; ++row) {
    T *y = r.y + row * r.size, *s = r.s + row * r.size;
    for (std::int64_t j = 0; r.bias && j < r.size; ++j) y[j] += r.bias[j];
    activate(layer.activation, r.size, y);
    for (std::int64_t j = 0; j < r.size; ++j) s[j] = decay * s[j] + y[j];
  }
}

template <class T>
void output_backward(const OutputLayer& layer, std::int64_t size, const T* y, T* dy) noexcept {
  switch (layer.activation) {
    case OutputActivation::kNone:
      return;
    case OutputActivation::kTanh:
      for (std::int64_t j = 0; j < size; ++j) dy[j] *= T(1) - y[j] * y[j];
      return;
    case OutputActivation::kSigmoid:
      for (std::int64_t j = 0; j < size; ++j) dy[j] *= y[j] * (T(1) - y[j]);
      return;
    case OutputActivation::kSoftmax:
      kernels::row_softmax_gradient(y, dy, size, kernels::row_dot(y, dy, size), dy);
  }
}

#define CAROUSEL_INSTANTIATE(T)                                                   \
  template void finish_output(const OutputLayer&, const OutputRows<T>&) noexcept; \
  template void output_backward(const OutputLayer&, std::int64_t, const T*, T*) noexcept;
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel
