// pool_ops.h: operations between packed rows and samples.
#pragma once

#include "carousel/autograd.h"
#include "layers/sequence_layout.h"

namespace carousel {

// y[n] = mean (or largest element) over the valid steps of sample n; 0 for a sample of length 0.
//   x [rows, C] -> [samples, C]     dx[r] = dy[n(r)] / length(n)   or   dy at the first row that holds the maximum
template <class T>
BasicVariable<T> pool_mean(BasicVariable<T> x, const SequenceLayout& layout);
template <class T>
BasicVariable<T> pool_max(BasicVariable<T> x, const SequenceLayout& layout);

// Packed rows to the padded form, zeros where a sample has ended: [rows, C] -> [T, N, C].
template <class T>
BasicVariable<T> unpack(BasicVariable<T> x, const SequenceLayout& layout);

}  // namespace carousel
