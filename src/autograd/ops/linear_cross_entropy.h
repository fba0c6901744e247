// linear_cross_entropy.h: a linear layer, softmax and the negative log-likelihood of the right class in one operation,
// for more classes than a matrix of all logits should have columns.
//
//   z = x W^T + b      l[r] = -log softmax(z[r])[y[r]]      L = mean of l over the rows that count
//
//   x [rows, H]   W [V, H]   b [V]      dz[r] = dL / rows (softmax(z[r]) - [k = y[r]])
//   dx = dz W     dW = dz^T x           db = column sums of dz
//
// Equal to cross_entropy(linear(x, W, b), y). Rows are taken kLossRows at a time, so that no more than [kLossRows, V]
// logits exist at once; their gradient is multiplied out while they are there, and backward() only scales dx, dW and
// db. Kept are [rows, H] and, if W takes a gradient, [V, H + 1] numbers, in place of 3 [rows, V].
#pragma once

#include <cstdint>
#include <span>

#include "carousel/autograd.h"
#include "carousel/loss.h"

namespace carousel {

inline constexpr std::int64_t kLossRows = 256;

// `losses`, if not empty, receives l [rows] (0 for a row that does not count). Labels are used during the call only;
// a row with kIgnoredLabel counts nowhere. `bias` may be empty. Throws Error{kUsage} if shapes or counts do not fit or
// a label is outside 0 .. V-1.
template <class T>
BasicVariable<T> linear_cross_entropy(BasicVariable<T> x, BasicVariable<T> weight, BasicVariable<T> bias,
                                      std::span<const std::int32_t> labels, std::span<double> losses = {});

}  // namespace carousel
