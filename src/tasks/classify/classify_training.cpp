#include "tasks/classify/classify_training.h"

#include <algorithm>

#include "base/fail.h"
#include "layers/module.h"
#include "tasks/column_scale.h"
#include "tasks/gate_probe.h"
#include "tasks/metrics.h"

namespace carousel {

// The classes of all samples: that of the largest score.
std::vector<std::int32_t> predicted_classes(const Tensor& scores) {
  std::vector<std::int32_t> classes;
  const std::int64_t K = scores.shape()[1];
  for (std::int64_t n = 0; n < scores.shape()[0]; ++n) {
    const float* row = scores.data() + n * K;
    classes.push_back(static_cast<std::int32_t>(std::max_element(row, row + K) - row));
  }
  return classes;
}

std::vector<std::int32_t> labels_of(const ClassifyData& data, const Indices& indices) {
  std::vector<std::int32_t> labels;
  for (const std::int64_t n : indices) labels.push_back(data.labels[static_cast<std::size_t>(n)]);
  return labels;
}

Metrics score_classes(const std::vector<std::int32_t>& predicted, const std::vector<std::int32_t>& actual,
                      std::int64_t classes) {
  return {{"accuracy", accuracy(predicted, actual)}, {"macro_f1", macro_f1(predicted, actual, classes)}};
}

TrainDefaults classify_defaults(bool texts, std::int64_t train_samples, std::int64_t valid_samples) {
  // Decay holds back the embeddings of rare words.
  if (texts) {
    return {.epochs = 15,
            .batch_size = 32,
            .patience = 3,
            .lr = 1e-3,
            .optimizer = "adamw",
            .weight_decay = 1e-2,
            .average_decay = 0.995};
  }
  constexpr std::int64_t kBatchSize = 16, kSteps = 2000, kEnoughToStop = 50;
  const std::int64_t steps_in_epoch = std::max<std::int64_t>((train_samples + kBatchSize - 1) / kBatchSize, 1);
  const std::int64_t epochs = std::clamp<std::int64_t>((kSteps + steps_in_epoch - 1) / steps_in_epoch, 150, 1000);
  return {.epochs = epochs,
          .batch_size = kBatchSize,
          .patience = valid_samples < kEnoughToStop ? epochs : 40,
          .lr = 2e-3,
          .input_noise = 0.3,
          .average_decay = 0.98};
}

ClassifyProblem::ClassifyProblem(Sequential& network, const ClassifyData& data, Split split,
                                 const TrainOptions& options)
    : TaskProblem(network), data_(data), split_(std::move(split)), options_(options) {
  training_lengths_ = data.samples.lengths(split_.train);
  valid_labels_ = labels_of(data, split_.valid);
  if (options.input_noise > 0) {
    if (data.is_text()) fail(Code::kUsage, "--input-noise: for sequences of numbers, these are texts; leave it out");
    noise_ = InputNoise(options.input_noise, static_cast<std::uint64_t>(options.seed),
                        deviations(fit_feature_scales(data.samples, split_.train)));
  }
  loss_options_.label_smoothing = options.label_smoothing;
  if (options.class_weights == "balanced") {
    const auto labels = labels_of(data, split_.train);
    std::vector<float> counts(data.label_names.size());
    for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
    for (const float count : counts) {
      const float share = static_cast<float>(labels.size()) / static_cast<float>(counts.size());
      class_weights_.push_back(share / std::max(count, 1.0f));
    }
    loss_options_.class_weights = class_weights_;
  }
}

std::int64_t ClassifyProblem::batches_in_epoch(std::int64_t epoch) {
  batches_ = batches_by_length(training_lengths_, {.batch_size = options_.batch_size,
                                                   .seed = static_cast<std::uint64_t>(options_.seed),
                                                   .epoch = static_cast<std::uint64_t>(epoch)});
  return std::ssize(batches_);
}

void ClassifyProblem::prepare(std::int64_t epoch, std::int64_t batch) {
  chosen_.clear();
  labels_.clear();
  for (const std::int64_t place : batches_[static_cast<std::size_t>(batch)]) {
    const std::int64_t sample = split_.train[static_cast<std::size_t>(place)];
    chosen_.push_back(sample);
    labels_.push_back(data_.labels[static_cast<std::size_t>(sample)]);
  }
  batch_.assign(data_.samples, chosen_);
  if (noise_) noise_.add(epoch, chosen_, batch_.sequences.lengths, batch_.sequences.values);
}

Variable ClassifyProblem::loss(Tape<float>& tape, std::int64_t, std::int64_t) {
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++};
  detail::PassInput input = batch_.pass_input();
  input.bptt = options_.bptt;
  input.checkpoint_steps = checkpoint_steps;
  const Variable logits = detail::run_pass(network_, tape, layout_, input, true, key);
  return cross_entropy<float>(logits, labels_, loss_options_);
}

std::optional<Validation> ClassifyProblem::validate() {
  const Tensor scores = predict_samples(network_, data_.samples, split_.valid);
  Tape<float> tape;
  const double loss = cross_entropy<float>(tape.constant(scores.view()), valid_labels_).item();
  constexpr std::size_t kEnough = 300;  // with fewer samples accuracy is too coarse to choose an epoch by
  if (valid_labels_.size() < kEnough) return Validation{loss, "loss", loss, false};
  return Validation{loss, "accuracy", accuracy(predicted_classes(scores), valid_labels_), true};
}

std::vector<std::pair<std::string, double>> ClassifyProblem::gate_saturation(Tape<float>& tape) {
  batch_.assign(data_.samples, probe_samples(split_.train, options_.batch_size));
  return probe_gates(network_, tape, layout_, batch_.pass_input(), checkpoint_steps);
}

MemoryNeeds ClassifyProblem::memory_needs() {
  MemoryNeeds needs{network_.describe(), largest_batch(data_.samples, split_.train, options_.batch_size),
                    largest_prediction(data_.samples, split_.valid), data_bytes(data_.samples) + bytes_beside};
  for (const std::string& text : data_.texts) needs.data_bytes += std::ssize(text);
  return needs;
}

}  // namespace carousel
