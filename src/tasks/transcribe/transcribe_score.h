// transcribe_score.h: what a transcriber's outputs say, and how many of the labels are right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/model.h"
#include "layers/output/ctc_decoder.h"
#include "tasks/samples.h"
#include "tasks/task.h"
#include "tasks/transcribe/transcript_labels.h"

namespace carousel {

// The logits of some samples, one behind another.
class StepLogits {
 public:
  StepLogits(Module& network, const Samples& samples, std::span<const std::int64_t> indices);

  std::int64_t samples() const noexcept { return std::ssize(first_rows_) - 1; }
  View<const float> of(std::int64_t n) const;  // [T, K] of the n-th of `indices`

 private:
  Tensor rows_;  // [sum of lengths, K]
  std::vector<std::int64_t> first_rows_;
};

// How labellings are looked for.
struct TranscriptSearch {
  std::int64_t beam = 1;                      // 1: best path, else prefix beam search
  const Model* lm = nullptr;                  // a language model to weigh them with; null: none; borrowed
  double lm_weight = 1, insertion_bonus = 0;  // as in CtcSearchOptions
};

// At most n_best hypotheses by falling score, never none. log_p as in ctc_beam_search().
std::vector<CtcHypothesis> search_labels(const BasicTensor<double>& log_p, const TranscriptSearch& search,
                                         const TranscriptLabels& labels, std::int64_t n_best);

// The best labelling of every sample.
std::vector<Labelling> decode(const StepLogits& logits, const TranscriptSearch& search, const TranscriptLabels& labels);

// -log of the probability of a labelling; infinite if it cannot be.
double labelling_loss(View<const float> logits, const Labelling& labels);

// Of characters cer and wer, of words wer: errors (edit distance) in percent of the labels of the references, over all
// samples together; accuracy: the share of samples without any error.
Metrics score_transcripts(const TranscriptLabels& labels, std::span<const Labelling> predicted,
                          std::span<const Labelling> references);

}  // namespace carousel
