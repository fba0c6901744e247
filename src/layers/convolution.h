// convolution.h: convolution over the time axis of packed sequences.
//
//   y_t[o] = b[o] + sum over c, k of W[o, c, k] x_{t + k - left}[c]      x_u = 0 where a sample has no step u
//   x [rows, C]   W [O, C, K], as in PyTorch's Conv1d: the kernel is not turned round   b [O]   y [rows, O]
//
//   same padding:   left = (K - 1) / 2, rounded down; as many steps as before
//   valid:          left = 0; every sample K - 1 steps shorter, none below 0
//
// One product over the windows of the input, [rows, K C].
#pragma once

#include "autograd/tape.h"
#include "layers/sequence_layout.h"

namespace carousel {

template <class T>
struct Convolved {
  BasicVariable<T> output;                 // [rows of layout, O]
  const SequenceLayout* layout = nullptr;  // the one given, or one that it owns
};

template <class T>
struct ConvolutionInput {
  BasicVariable<T> x;
  const SequenceLayout* layout = nullptr;  // borrowed until the tape's reset()
  BasicVariable<T> weight, bias;           // bias may be empty
  bool same = true;
};

// Throws Error{kUsage} if the shapes do not fit.
template <class T>
Convolved<T> convolve(const ConvolutionInput<T>& input);

}  // namespace carousel
