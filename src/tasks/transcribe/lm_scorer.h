// lm_scorer.h: a language model of ours as what prefix beam search weighs labellings with
// (layers/output/ctc_decoder.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "carousel/model.h"
#include "carousel/stream.h"
#include "tasks/transcribe/transcript_labels.h"

namespace carousel {

// The labels that a language model takes for its <unk>. Throws as LmScorer's constructor.
std::vector<std::string> labels_unknown_to(const Model& lm, const TranscriptLabels& labels);

// Every label is the token of the same text in the language model, one that it does not know its <unk>; the end of a
// labelling is the end of a line. Keeps the state behind each prefix that it was asked about. One thread at a time.
class LmScorer final : public LabelScorer {
 public:
  // Both are used during the call only. Throws Error{kModel} if `lm` is no language model, Error{kUsage} if its tokens
  // are characters and the labels words, or the other way round.
  LmScorer(const Model& lm, const TranscriptLabels& labels);

  void score(std::span<const std::int32_t> prefix, std::span<double> log_p) override;

 private:
  struct Known {
    State state;
    std::vector<double> log_p;  // [K]
  };
  const Known& behind(const Labelling& prefix);

  std::vector<std::int32_t> tokens_;  // of each class, 0: the line end
  Stream stream_;
  std::map<Labelling, Known> known_;
};

}  // namespace carousel
