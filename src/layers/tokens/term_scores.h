// term_scores.h: a linear classifier over the words and the pairs of neighbouring words of a text, with fixed weights.
//
//   score[k] = bias[k] + sum_m v[m] weight[m, k]        v = u / |u|      u[m] = (1 + log(count of term m)) idf[m]
//
// (TF-IDF, Salton & Buckley 1988; terms that are not in the list do not count; a text without any scores the bias.)
// Token ids [T, N] -> [N, classes]. Nothing here is trained: a task fits the numbers and stores them as buffers.
#pragma once

#include "carousel/layers.h"

namespace carousel {

class TermScores : public Module {
 public:
  // Throws Error{kUsage} unless both are at least 1.
  TermScores(std::int64_t term_count, std::int64_t classes);
  std::vector<Parameter*> buffers() override { return {&terms, &idf, &weight, &bias}; }
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;  // gives no gradient

  // v, the terms that occur in a text, in their order; their values.
  struct TermValue {
    std::int64_t term = 0;
    double value = 0;
  };
  std::vector<TermValue> values_of(std::span<const std::int32_t> tokens) const;

  // terms [M, 2]: ids of the first and the second word, second -1 for a single word; sorted. As floats, which hold
  // every id below 2^24 exactly.
  Parameter terms, idf, weight, bias;  // [M, 2], [M], [M, classes], [classes]

 private:
  std::int64_t find(std::int32_t first, std::int32_t second) const noexcept;  // -1: not in the list
  void score_text(std::span<const std::int32_t> tokens, float* scores) const;
};

}  // namespace carousel
