// sampling.h: from the scores of all tokens to the next one.
//
//   1. repetition penalty r: the score s of a token that was there already becomes s / r if s > 0, else s r (Keskar et
//      al. 2019)
//   2. temperature T: s / T; with T = 0 the token of the largest score is chosen, the first of equal ones
//   3. top-k: the k largest scores; of equal ones those with the smaller id; 0: all
//   4. top-p: of their probabilities, softmax of what is left, the fewest largest ones that add up to p (Holtzman et
//      al. 2020)
//
// and a draw from what is left, scaled to add up to 1. A pure function of scores, options and the random key.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace carousel {

struct SamplingOptions {
  double temperature = 1;         // REQUIRES: at least 0
  std::int64_t top_k = 0;         // REQUIRES: at least 0
  double top_p = 1;               // REQUIRES: 0 < p <= 1
  double repetition_penalty = 1;  // REQUIRES: more than 0
};

class Sampler {
 public:
  // Throws Error{kUsage} for an option out of range. Tokens of `excluded` are never chosen.
  Sampler(const SamplingOptions& options, std::int64_t vocabulary_size, std::vector<std::int32_t> excluded = {});

  void saw(std::int32_t token) { seen_[static_cast<std::size_t>(token)] = true; }  // for the penalty

  // What the next token is drawn from: a probability for every token, in double. Valid until the next call.
  std::span<const double> distribution(std::span<const float> scores);
  // Draws with random number `index` of the key.
  std::int32_t choose(std::span<const float> scores, const RandomKey& key, std::uint64_t index);

 private:
  SamplingOptions options_;
  std::vector<std::int32_t> excluded_;
  std::vector<bool> seen_;
  std::vector<double> p_;
  std::vector<std::int32_t> order_;
};

}  // namespace carousel
