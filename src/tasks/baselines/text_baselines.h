// text_baselines.h: what any text classifier must beat, and the like for sequences of numbers.
//
// TextBaseline: TF-IDF over words and pairs of neighbouring words, then logistic regression.
//   tf = 1 + log(count in the text)    idf = 1 + log((1 + texts) / (1 + texts with the term))    each text scaled to
//   length 1 (Salton and Buckley 1988, with the smooth idf)
// SequenceBaseline: per channel mean, deviation, least, greatest, first and last value, standardised, then logistic
// regression. Both own what they learnt and are fitted on the training part by the caller.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "carousel/tensor.h"
#include "layers/tokens/term_scores.h"
#include "tasks/baselines/logistic_regression.h"

namespace carousel {

// The label that occurs most; of equals the smallest. Throws Error{kUsage} if there is none.
std::int32_t majority_class(std::span<const std::int32_t> labels);

struct TextBaselineOptions {
  std::int64_t min_texts = 2;  // a term counts if it occurs in so many training texts
  double strength = 10;        // LogisticOptions::strength
};

class TextBaseline {
 public:
  using Text = std::vector<std::int32_t>;  // token ids, from 0
  using Words = std::vector<std::string>;  // or the tokens themselves

  // labels [texts] in 0 .. classes-1. Throws Error{kUsage} as LogisticRegression::fit.
  static TextBaseline fit(std::span<const Text> texts, std::span<const std::int32_t> labels, std::int64_t classes,
                          const TextBaselineOptions& options = {});
  static TextBaseline fit(std::span<const Words> texts, std::span<const std::int32_t> labels, std::int64_t classes,
                          const TextBaselineOptions& options = {});

  // Terms that were not learnt do not count. Ask in the form that was fitted: ids or words.
  std::vector<std::int32_t> predict(std::span<const Text> texts) const;
  std::vector<std::int32_t> predict(std::span<const Words> texts) const;
  std::int64_t terms() const noexcept { return static_cast<std::int64_t>(idf_.size()); }
  std::int64_t fit_bytes() const noexcept { return fit_bytes_; }  // what fitting took at its end, about

  // The same classifier as a layer over token ids, its scores multiplied by `factor`; null if it has no terms. For one
  // fitted on ids.
  std::unique_ptr<TermScores> as_layer(double factor) const;

 private:
  SparseRows features(std::span<const Text> texts) const;
  std::unordered_map<std::uint64_t, std::int32_t> terms_;  // term key -> feature
  std::unordered_map<std::string, std::int32_t> words_;    // only if fitted on words
  std::vector<double> idf_;
  LogisticRegression regression_;
  std::int64_t fit_bytes_ = 0;
};

// [6 C]: mean, deviation, least, greatest, first, last of channel 0, then of channel 1 ... of a sequence [T, C]; zeros
// if T is 0.
std::vector<double> sequence_summary(View<const float> sequence);

class SequenceBaseline {
 public:
  // All sequences [T, C] with the same C. Throws Error{kUsage} as LogisticRegression::fit, or if C differs.
  static SequenceBaseline fit(std::span<const View<const float>> sequences, std::span<const std::int32_t> labels,
                              std::int64_t classes);
  std::vector<std::int32_t> predict(std::span<const View<const float>> sequences) const;

 private:
  SparseRows features(std::span<const View<const float>> sequences) const;
  std::vector<double> mean_, deviation_;  // [6 C]
  LogisticRegression regression_;
};

}  // namespace carousel
