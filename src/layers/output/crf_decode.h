// crf_decode.h: what can be asked of the scores of a linear-chain CRF: the best sequences of tags, probabilities.
//
//   score(y) = start[y_0] + sum_t e[t, y_t] + sum_{t>=1} transitions[y_{t-1}, y_t] + end[y_{n-1}]
//   p(y) = exp(score(y)) / sum over all y' of n tags of exp(score(y'))
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/output/crf.h"

namespace carousel {

// The three kinds of scores of K tags; minus infinity forbids.
template <class T>
struct CrfScores {
  BasicTensor<T> start, end;   // [K]
  BasicTensor<T> transitions;  // [K, K], from the row's tag to the column's

  std::int64_t tags() const noexcept { return start.elements(); }
};

// The scores of a CRF, or zeros where there is none (null), with minus infinity for what the rules do not allow.
CrfScores<float> crf_scores(const Crf* crf, std::int64_t tags, const CrfRules& rules);

struct TagPath {
  std::vector<std::int32_t> tags;
  double score = 0;
};

// Of one sequence: emissions [T, K], T >= 0. A sequence without steps has one path, without tags, of score 0.
//
// The sequence of tags of the highest score (Viterbi); of equal ones that which has the lower tag at the last step
// where they differ. If nothing is allowed, it has the score minus infinity.
template <class T>
TagPath best_path(std::span<const T> emissions, const CrfScores<T>& scores);

// The `count` best ones that are allowed, best first, equal scores as above; fewer if there are fewer. REQUIRES:
// count >= 1.
template <class T>
std::vector<TagPath> best_paths(std::span<const T> emissions, const CrfScores<T>& scores, std::int64_t count);

// Probabilities of one sequence.
struct TagProbabilities {
  double log_z = 0;
  std::vector<double> marginals;  // p(y_t = k), [T, K]

  // For p of spans: forward and backward sums, [T, K], and what they were made from.
  std::vector<double> alpha, beta;
};
template <class T>
TagProbabilities tag_probabilities(std::span<const T> emissions, const CrfScores<T>& scores);

// The probability that steps begin .. end-1 have these tags, whatever the others have. REQUIRES: 0 <= begin < end <= T,
// one tag a step, and `probabilities` of the same emissions and scores.
template <class T>
double run_probability(std::span<const T> emissions, const CrfScores<T>& scores, const TagProbabilities& probabilities,
                       std::int64_t begin, std::span<const std::int32_t> tags);

// The score of these tags. REQUIRES: one a step.
template <class T>
double path_score(std::span<const T> emissions, const CrfScores<T>& scores, std::span<const std::int32_t> tags);

}  // namespace carousel
