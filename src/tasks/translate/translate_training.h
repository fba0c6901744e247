// translate_training.h: trains the network of a translator: teacher forcing, whole targets in one pass.
//
// With scheduled sampling (Bengio et al. 2015) a part of the tokens that the decoder reads are not the target's but
// those that the model itself finds most probable there, taken from a first pass without gradient (Mihaylova and
// Martins 2019), so that no step has to wait for the one before it.
//
// With a coverage loss the mean over all target tokens of what looking again costs (layers/attention/coverage_loss.h),
// times its weight, is added to the loss (See et al. 2017). The loss of the validation is without it.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/ops/cross_entropy.h"
#include "data/split.h"
#include "tasks/memory_plan.h"
#include "tasks/translate/translate_model.h"

namespace carousel {

// Batches of pairs with targets of similar length, validated by greedy decoding, or by the loss where there are few
// validation samples. Network, data and info are borrowed; `options` is resolved. `training`: pairs; `valid`: samples.
class TranslateProblem final : public TaskProblem {
 public:
  TranslateProblem(Sequential& network, const TranslateData& data, const TranslateInfo& info,
                   std::vector<std::int64_t> training, std::vector<std::int64_t> valid, const TrainOptions& options);

  std::int64_t batches_in_epoch(std::int64_t epoch) override;
  void prepare(std::int64_t epoch, std::int64_t batch) override;
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override;
  std::optional<Validation> validate() override;
  MemoryNeeds memory_needs() override;

 private:
  RandomKey next_key() { return {static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++}; }
  void sample_inputs(double share);

  Translator translator_;
  const TranslateData& data_;
  const TranslateInfo& info_;
  std::vector<std::int64_t> training_, valid_;
  TrainOptions options_;
  CrossEntropyOptions loss_options_;
  std::vector<std::int32_t> lengths_;  // of the training targets
  std::vector<std::vector<std::int64_t>> batches_;
  PaddedIds sources_, targets_, inputs_;  // of the batch
  Tape<float> sampling_;                  // of the first pass of scheduled sampling
  detail::Layouts layouts_, sampling_layouts_;
  SequenceLayout target_layout_;
};

}  // namespace carousel
