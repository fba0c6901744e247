// transcribe_score.h: what a transcriber's outputs say, and how many of the labels are right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/ctc_decoder.h"
#include "tasks/samples.h"
#include "tasks/task.h"
#include "tasks/transcript_labels.h"

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

// The most probable labelling of every sample: by best path for beam 1, else by prefix beam search.
std::vector<Labelling> decode(const StepLogits& logits, std::int64_t beam);

// -log of the probability of a labelling; infinite if it cannot be.
double labelling_loss(View<const float> logits, const Labelling& labels);

// Of characters cer and wer, of words wer: errors (edit distance) in percent of the labels of the references, over all
// samples together; accuracy: the share of samples without any error.
Metrics score_transcripts(const TranscriptLabels& labels, std::span<const Labelling> predicted,
                          std::span<const Labelling> references);

}  // namespace carousel
