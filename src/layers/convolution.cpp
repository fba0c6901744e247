#include "layers/convolution.h"

#include "autograd/ops/linear.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/transpose.h"

namespace carousel {
namespace {

// For every row of `to` the rows of `from` under the kernel's `size` places; -1: beyond the ends of the sample.
std::span<const std::int64_t> window_rows(Arena& arena, const SequenceLayout& from, const SequenceLayout& to,
                                          std::int64_t size, std::int64_t left) {
  auto* index = arena.allocate<std::int64_t>(to.rows() * size);
  auto* next = index;
  for (std::int64_t t = 0; t < to.longest(); ++t) {
    for (std::int64_t k = 0; k < to.batch_size(t); ++k) {
      for (std::int64_t step = t - left; step < t - left + size; ++step) {
        *next++ = step >= 0 && step < from.length(k) ? from.offset(step) + k : -1;
      }
    }
  }
  return {index, static_cast<std::size_t>(to.rows() * size)};
}

}  // namespace

template <class T>
Convolved<T> convolve(const ConvolutionInput<T>& input) {
  const Shape& shape = input.weight.shape();
  if (shape.rank() != 3 || input.x.shape().rank() != 2 || input.x.shape()[1] != shape[1] ||
      input.x.shape()[0] != input.layout->rows()) {
    fail(Code::kUsage, "conv1d: the input has shape {}, the weight {}; expected [{}, in] and [out, in, kernel]",
         input.x.shape().to_string(), shape.to_string(), input.layout->rows());
  }
  const std::int64_t C = shape[1], K = shape[2];
  const SequenceLayout& to = input.same ? *input.layout : input.layout->shortened(K - 1);
  Arena& arena = input.x.tape().arena();
  const auto index = window_rows(arena, *input.layout, to, K, input.same ? (K - 1) / 2 : 0);
  const BasicVariable<T> windows = reshape(select_rows(input.x, index), {to.rows(), K * C});
  const BasicVariable<T> weight = reshape(transpose(input.weight), {shape[0], K * C});
  return {linear(windows, weight, input.bias), &to};
}

template Convolved<float> convolve(const ConvolutionInput<float>&);
template Convolved<double> convolve(const ConvolutionInput<double>&);

}  // namespace carousel
