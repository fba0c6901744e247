#include "autograd/ops/sampled_cross_entropy.h"

#include <cmath>
#include <vector>

#include "autograd/ops/add.h"
#include "autograd/ops/common.h"
#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/row_sums.h"
#include "autograd/ops/select_rows.h"

namespace carousel {
namespace {

// The class below which lie u of the probability: the inverse of its distribution function log(k + 1) / log(V + 1).
std::int64_t log_uniform_class(double u, std::int64_t classes) {
  const double k = std::exp(u * std::log(static_cast<double>(classes + 1))) - 1;
  return std::min(classes - 1, static_cast<std::int64_t>(k));
}

// b[k] of these classes, [count].
template <class T>
BasicVariable<T> select_bias(BasicVariable<T> bias, std::span<const std::int64_t> classes) {
  return reshape(select_rows(reshape(bias, {bias.shape()[0], 1}), classes), {std::ssize(classes)});
}

// b[k] - log(S q(k)) of the draws, [draws].
template <class T>
BasicVariable<T> corrected_bias(BasicVariable<T> bias, std::span<const std::int64_t> classes) {
  const std::int64_t V = bias.shape()[0], count = std::ssize(classes);
  T* correction = bias.tape().arena().template allocate<T>(count);
  for (std::int64_t k = 0; k < count; ++k) {
    const double q = log_uniform_probability(classes[static_cast<std::size_t>(k)], V);
    correction[k] = static_cast<T>(-std::log(static_cast<double>(count) * q));
  }
  return add(select_bias(bias, classes), bias.tape().constant({correction, {count}}));
}

// 0, or a number too low for any softmax where the draw is the label of the row: [rows, draws].
template <class T>
BasicVariable<T> hits(Tape<T>& tape, std::span<const std::int64_t> labels, std::span<const std::int64_t> drawn) {
  constexpr T kNever = T(-1e9);
  const std::int64_t rows = std::ssize(labels), draws = std::ssize(drawn);
  T* mask = tape.arena().template allocate<T>(rows * draws);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t s = 0; s < draws; ++s) {
      const bool hit = drawn[static_cast<std::size_t>(s)] == labels[static_cast<std::size_t>(r)];
      mask[r * draws + s] = hit ? kNever : T(0);
    }
  }
  return tape.constant({mask, {rows, draws}});
}

}  // namespace

double log_uniform_probability(std::int64_t k, std::int64_t classes) {
  return std::log1p(1 / static_cast<double>(k + 1)) / std::log(static_cast<double>(classes + 1));
}

template <class T>
BasicVariable<T> sampled_cross_entropy(BasicVariable<T> x, BasicVariable<T> weight, BasicVariable<T> bias,
                                       std::span<const std::int32_t> labels, std::int64_t draws, const RandomKey& key) {
  const std::int64_t rows = x.shape().rows(), V = weight.shape()[0];
  if (std::ssize(labels) != rows || draws < 1) {
    fail(Code::kUsage,
         "sampled_cross_entropy: {} labels and {} draws for {} rows, expected one label per row and a draw",
         labels.size(), draws, rows);
  }
  const std::vector<std::int64_t> right(labels.begin(), labels.end());
  for (std::size_t row = 0; row < right.size(); ++row) {
    if (right[row] >= 0 && right[row] < V) continue;
    fail(Code::kUsage, "sampled_cross_entropy: row {} has label {}, expected 0 .. {}", row, right[row], V - 1);
  }
  std::vector<std::int64_t> drawn;
  for (std::int64_t s = 0; s < draws; ++s) {
    const std::uint64_t bits = uniform_below(key, static_cast<std::uint64_t>(s), std::uint64_t{1} << 53);
    drawn.push_back(log_uniform_class(std::ldexp(static_cast<double>(bits), -53), V));
  }
  const std::span<const std::int64_t> right_span(right), drawn_span(drawn);
  const BasicVariable<T> products = row_sums(multiply(x, select_rows(weight, right_span)));
  const BasicVariable<T> label_scores = reshape(add(products, select_bias(bias, right_span)), {rows, 1});
  const BasicVariable<T> scores = linear(x, select_rows(weight, drawn_span), corrected_bias(bias, drawn_span));
  const BasicVariable<T> others = add(scores, hits(x.tape(), right_span, drawn_span));
  const std::vector<std::int32_t> first(labels.size(), 0);
  return cross_entropy<T>(concatenate_columns({label_scores, others}), first);
}

template BasicVariable<float> sampled_cross_entropy(BasicVariable<float>, BasicVariable<float>, BasicVariable<float>,
                                                    std::span<const std::int32_t>, std::int64_t, const RandomKey&);
template BasicVariable<double> sampled_cross_entropy(BasicVariable<double>, BasicVariable<double>,
                                                     BasicVariable<double>, std::span<const std::int32_t>, std::int64_t,
                                                     const RandomKey&);

}  // namespace carousel
