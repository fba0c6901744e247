// ctc_decoder.h: from what a network says at every step to a labelling, for networks trained with ctc_loss.
//
// All functions take log_p [T, K], the log-probabilities of every class at every step (ctc_log_probabilities), and the
// blank is class 0. A labelling holds classes 1 .. K-1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

using Labelling = std::vector<std::int32_t>;

// log-softmax of the logits of one sample, [T, K]. Throws Error{kUsage} for another shape.
BasicTensor<double> ctc_log_probabilities(View<const float> logits);

// Best path: the likeliest class of every step, equal ones that follow each other counted once, without blanks.
Labelling ctc_greedy(const BasicTensor<double>& log_p);

// What a labelling is worth apart from the sound, like a language model. Its calls are in no order of time: a search
// asks about many prefixes.
class LabelScorer {
 public:
  virtual ~LabelScorer() = default;
  // The log-probability of every class behind the prefix, [K]; that of the blank, 0, is that nothing follows.
  virtual void score(std::span<const std::int32_t> prefix, std::span<double> log_p) = 0;
};

struct CtcSearchOptions {
  std::int64_t beam = 16;         // prefixes kept after each step
  std::int64_t n_best = 1;        // hypotheses to give
  LabelScorer* scorer = nullptr;  // null: none; borrowed
  double scorer_weight = 1;       // what its log-probabilities are multiplied by
  double insertion_bonus = 0;     // added for each label, against a scorer's love of short labellings
};

struct CtcHypothesis {
  Labelling labels;
  double log_probability = 0;  // of the labelling: over all alignments that the search kept
  double score = 0;            // the same plus weight times the scorer's log-probability and the bonuses
};

// Prefix beam search (Graves & Jaitly 2014; Hannun et al. 2014): at most n_best hypotheses by falling score. Exact if
// no more than `beam` prefixes are possible at any step. Throws Error{kUsage} for a beam or n_best below 1.
std::vector<CtcHypothesis> ctc_beam_search(const BasicTensor<double>& log_p, const CtcSearchOptions& options);

// The step at which each label begins in the most probable alignment of the labelling (Viterbi). Throws Error{kUsage}
// if it does not fit into T steps.
std::vector<std::int64_t> ctc_align(const BasicTensor<double>& log_p, std::span<const std::int32_t> labels);

}  // namespace carousel
