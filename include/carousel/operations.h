// operations.h: what can be computed with variables; graph.h makes the first ones.
//
//   Variable z = mean + exp(0.5 * log_variance) * noise;
//   Variable kl = row_sums(scale(exp(log_variance) + mean * mean - log_variance, 0.5, -0.5));
//
// Every function computes at once and records how to go back, on the tape of its inputs. Two inputs must be from the
// same Graph and, unless said otherwise, have the same shape: expand() makes it so. Rows are counted over all axes but
// the last, which is that of the columns. Throws Error{kUsage} naming the shape that does not fit.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "carousel/autograd.h"
#include "carousel/tensor.h"

namespace carousel {

// Element by element.
Variable add(const Variable& a, const Variable& b);
Variable subtract(const Variable& a, const Variable& b);
Variable multiply(const Variable& a, const Variable& b);
Variable divide(const Variable& a, const Variable& b);
Variable scale(const Variable& x, double factor, double offset = 0);  // factor x + offset
Variable exp(const Variable& x);
Variable log(const Variable& x);
Variable tanh(const Variable& x);
Variable sigmoid(const Variable& x);
Variable relu(const Variable& x);
Variable softplus(const Variable& x);  // log(1 + exp(x)), a smooth relu

inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator-(const Variable& a, const Variable& b) { return subtract(a, b); }
inline Variable operator*(const Variable& a, const Variable& b) { return multiply(a, b); }
inline Variable operator/(const Variable& a, const Variable& b) { return divide(a, b); }
inline Variable operator*(double factor, const Variable& x) { return scale(x, factor); }

// -t log p - (1 - t) log(1 - p) with p = sigmoid(logit), from the logits; targets in [0, 1]. Its row_sums() are the
// negative log-likelihoods of rows of independent yes-or-no values.
Variable binary_cross_entropy_elements(const Variable& logits, const Variable& targets);

// Sums and means: of everything, a scalar; of each row, [..., C] -> [...].
Variable sum(const Variable& x);
Variable mean(const Variable& x);
Variable row_sums(const Variable& x);

Variable softmax(const Variable& x);  // every row to positive numbers that add up to 1

// [..., A, B] [..., B, C] -> [..., A, C]: one product for each entry of the axes before the last two.
Variable matmul(const Variable& a, const Variable& b);

// Shapes.
Variable reshape(const Variable& x, const Shape& shape);  // the same elements in the same order
Variable transpose(const Variable& x);                    // [..., A, B] -> [..., B, A]
Variable expand(const Variable& x, const Shape& shape);   // repeats axes of size 1; as many axes as before

// Parts side by side, [..., A], [..., B] -> [..., A + B], or one below the other, [A, ...], [B, ...] -> [A + B, ...].
Variable concatenate_columns(std::span<const Variable> parts);
Variable concatenate_columns(std::initializer_list<Variable> parts);
Variable concatenate_rows(std::span<const Variable> parts);
Variable concatenate_rows(std::initializer_list<Variable> parts);

Variable select_columns(const Variable& x, std::int64_t first, std::int64_t count);  // [..., C] -> [..., count]
// Rows by number, 0s for -1; a number may occur more than once or never. [..., C] -> [index.size(), C].
Variable select_rows(const Variable& x, std::span<const std::int64_t> index);
Variable select_rows(const Variable& x, std::int64_t first, std::int64_t count);  // [..., C] -> [count, C]

}  // namespace carousel
