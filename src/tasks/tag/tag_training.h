// tag_training.h: trains the network of a tagger.
#pragma once

#include <cstdint>
#include <vector>

#include "data/split.h"
#include "tasks/memory_plan.h"
#include "tasks/tag/tag_model.h"
#include "tasks/tag/tag_network.h"
#include "tasks/tag/tag_score.h"

namespace carousel {

// The mean over the sentences `samples` of the negative log-likelihood of their tags, by the network's CRF under these
// rules or by each token's softmax, and of their intents, from their scores. REQUIRES: training had all these tags.
Variable tag_loss(Sequential& network, const TagData& data, const TagScores& scores,
                  std::span<const std::int64_t> samples, const CrfRules& rules);

// Batches of sentences of similar length, each with its tag_loss(). In training a word that occurs
// once becomes <unk> half of the time, so that <unk> is learnt. Validated by span F1, or by token accuracy where tags
// are no spans. Network, data and info are borrowed; the options are resolved.
class TagProblem final : public TaskProblem {
 public:
  // Throws Error{kData} with the place of a sentence of either part whose tags are not valid, if the loss must know
  // valid ones only.
  TagProblem(Sequential& network, const TagData& data, const TagInfo& info, Split split, const ModelOptions& model,
             const TrainOptions& options);

  std::int64_t batches_in_epoch(std::int64_t epoch) override;
  void prepare(std::int64_t epoch, std::int64_t batch) override;
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override;
  std::optional<Validation> validate() override;
  std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override;
  MemoryNeeds memory_needs() override;

 private:
  void check_valid(std::span<const std::int64_t> samples) const;
  void hide_singletons(std::int64_t epoch);
  Variable loss_of(const TagScores& scores, const std::vector<std::int64_t>& samples);
  double loss_without_training(const std::vector<std::int64_t>& samples);

  const TagData& data_;
  const TagInfo& info_;
  Split split_;
  TrainOptions options_;
  TagRules rules_;
  bool valid_tags_only_;
  std::vector<std::int32_t> training_lengths_;
  std::vector<bool> singletons_;  // by word id: it occurs once in the training part; empty: words are hashed
  std::vector<std::vector<std::int64_t>> batches_;
  std::vector<std::int64_t> chosen_;
  TagBatch batch_;
  detail::Layouts layouts_;
};

// The score of the network's tags for the sentences. Tags and intents that training had not count as errors.
TagScore score_tagger(Sequential& network, const TagData& data, const TagInfo& info,
                      std::span<const std::int64_t> samples);

}  // namespace carousel
