// transcribe_training.h: trains the network of a transcriber.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/split.h"
#include "layers/sequence_layout.h"
#include "tasks/input_noise.h"
#include "tasks/memory_plan.h"
#include "tasks/transcribe/transcribe_data.h"
#include "tasks/transcribe/transcribe_score.h"

namespace carousel {

// "clips.tsv:7: ..." for every text of more labels than its steps allow.
std::vector<std::string> too_long_texts(const Utterances& data, const std::vector<Labelling>& labels);

// The CTC loss of the samples per label. logits [T, N, K]; lengths and labels: one for each sample, none too long.
Variable transcript_loss(const Variable& logits, std::span<const std::int32_t> lengths,
                         std::span<const Labelling> labels);

// The training problem: batches of samples of similar length, the CTC loss per label; validated by the rate of wrong
// labels, or by the loss where the validation part is too small for that. Network, samples and labels are borrowed; a
// labelling with kUnknownLabel, which only the validation part may hold, has no loss: REQUIRES one there without it.
// `options` is resolved.
class TranscribeProblem final : public TaskProblem {
 public:
  TranscribeProblem(Sequential& network, const Samples& samples, const std::vector<Labelling>& labels,
                    const TranscriptLabels& names, Split split, const TrainOptions& options);

  std::int64_t batches_in_epoch(std::int64_t epoch) override;
  void prepare(std::int64_t epoch, std::int64_t batch) override;
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override;
  std::optional<Validation> validate() override;
  std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override;
  MemoryNeeds memory_needs() override;

 private:
  const Samples& samples_;
  const std::vector<Labelling>& labels_;
  const TranscriptLabels& names_;
  Split split_;
  TrainOptions options_;
  std::vector<std::int32_t> training_lengths_;
  std::vector<std::vector<std::int64_t>> batches_;
  std::vector<std::int64_t> chosen_;
  std::vector<Labelling> valid_labels_, batch_labels_;
  SampleBatch batch_;
  InputNoise noise_;
  SequenceLayout layout_;
};

}  // namespace carousel
