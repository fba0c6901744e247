#include "tasks/translate_training.h"

#include <algorithm>

#include "tasks/metrics.h"
#include "tasks/training_run.h"
#include "tasks/translate_score.h"
#include "tasks/translate_write.h"

namespace carousel {

TranslateProblem::TranslateProblem(Sequential& network, const TranslateData& data, const TranslateInfo& info,
                                   std::vector<std::int64_t> training, std::vector<std::int64_t> valid,
                                   const TrainOptions& options)
    : network_(network),
      translator_(network),
      data_(data),
      info_(info),
      training_(std::move(training)),
      valid_(std::move(valid)),
      options_(options) {
  loss_options_.label_smoothing = options.label_smoothing;
  sampling_.set_recording(false);
  for (const std::int64_t pair : training_) {
    lengths_.push_back(static_cast<std::int32_t>(data.targets[static_cast<std::size_t>(pair)].size()));
  }
}

std::int64_t TranslateProblem::batches_in_epoch(std::int64_t epoch) {
  batches_ = batches_by_length(lengths_, {.batch_size = options_.batch_size,
                                          .seed = static_cast<std::uint64_t>(options_.seed),
                                          .epoch = static_cast<std::uint64_t>(epoch)});
  return std::ssize(batches_);
}

void TranslateProblem::prepare(std::int64_t, std::int64_t batch) {
  std::vector<std::int64_t> chosen;
  for (const std::int64_t place : batches_[static_cast<std::size_t>(batch)]) {
    chosen.push_back(training_[static_cast<std::size_t>(place)]);
  }
  sources_ = pad_ids(data_.sources, chosen);
  targets_ = pad_ids(data_.targets, chosen);
  inputs_ = decoder_inputs(targets_);
  target_layout_.assign(inputs_.ids.shape()[0], inputs_.ids.shape()[1], inputs_.lengths);
}

// A share of the tokens that the decoder reads, but <bos>, become what the model would write there.
void TranslateProblem::sample_inputs(double share) {
  sampling_.reset();
  const Translator::Encoded encoded = translator_.encode(sampling_, sampling_layouts_, sources_, false, {});
  const Variable logits =
      translator_.decode(sampling_, sampling_layouts_, {inputs_, encoded, sources_.lengths}, false, {});
  const std::int64_t V = translator_.target_size(), N = inputs_.ids.shape()[1];
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kSample, passes_};
  for (std::int64_t row = 0; row < target_layout_.rows(); ++row) {
    const std::int64_t next = target_layout_.padded_rows()[static_cast<std::size_t>(row)] + N;
    if (next >= inputs_.ids.elements() || uniform(key, static_cast<std::uint64_t>(row)) >= share) continue;
    const float* scores = logits.value().data + row * V;
    inputs_.ids[next] = static_cast<std::int32_t>(std::max_element(scores, scores + V) - scores);
  }
}

Variable TranslateProblem::loss(Tape<float>& tape, std::int64_t epoch, std::int64_t) {
  const std::int64_t last = std::max<std::int64_t>(options_.epochs - 1, 1);
  const double share = options_.scheduled_sampling * static_cast<double>(epoch) / static_cast<double>(last);
  if (share > 0) sample_inputs(share);
  const Translator::Encoded encoded = translator_.encode(tape, layouts_, sources_, true, next_key());
  const Variable logits = translator_.decode(tape, layouts_, {inputs_, encoded, sources_.lengths}, true, next_key());
  return cross_entropy<float>(logits, packed_targets(targets_, target_layout_), loss_options_);
}

std::optional<Validation> TranslateProblem::validate() {
  constexpr std::size_t kEnough = 300;  // with fewer samples the metric is too coarse to choose an epoch by
  const std::span<const Translator> models(&translator_, 1);
  const double loss = forced_loss(force(models, sources_of(data_, valid_), targets_of(data_, valid_), false));
  if (valid_.size() < kEnough) return Validation{loss, "loss", loss, false};
  const Metrics metrics = score_written(info_, data_, valid_, best_of(write_texts(models, info_, data_, valid_, {})));
  const auto& [name, value] = metrics.front();
  return Validation{loss, name, value, higher_is_better(name)};
}

std::string TranslateProblem::describe(const Parameter& parameter, std::int64_t element) {
  return describe_weight(network_, parameter, element);
}

}  // namespace carousel
