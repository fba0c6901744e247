#include "tasks/transcribe/transcribe_training.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops/ctc.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum.h"
#include "layers/module.h"
#include "tasks/column_scale.h"
#include "tasks/gate_probe.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

std::int64_t label_count(std::span<const Labelling> labellings) {
  std::int64_t count = 0;
  for (const Labelling& labels : labellings) count += std::ssize(labels);
  return std::max<std::int64_t>(count, 1);
}

}  // namespace

std::vector<std::string> too_long_texts(const Utterances& data, const std::vector<Labelling>& labels) {
  std::vector<std::string> list;
  for (std::int64_t n = 0; n < data.size(); ++n) {
    const auto place = static_cast<std::size_t>(n);
    const std::int64_t least = ctc_least_steps(labels[place]), steps = data.samples.length(n);
    if (least <= steps) continue;
    list.push_back(
        fmt::format("{}: the text has {} labels, which take at least {} steps, but there are {} ({} frames "
                    "in each)",
                    data.places[place], labels[place].size(), least, steps, data.frames.stack));
  }
  return list;
}

Variable transcript_loss(const Variable& logits, std::span<const std::int32_t> lengths,
                         std::span<const Labelling> labels) {
  return scale(sum(ctc_loss<float>(logits, lengths, labels)), 1.0 / static_cast<double>(label_count(labels)));
}

TranscribeProblem::TranscribeProblem(Sequential& network, const Samples& samples, const std::vector<Labelling>& labels,
                                     const TranscriptLabels& names, Split split, const TrainOptions& options)
    : TaskProblem(network),
      samples_(samples),
      labels_(labels),
      names_(names),
      split_(std::move(split)),
      options_(options),
      training_lengths_(samples.lengths(split_.train)) {
  for (const std::int64_t n : split_.valid) valid_labels_.push_back(labels[static_cast<std::size_t>(n)]);
  if (options.input_noise > 0) {
    noise_ = InputNoise(options.input_noise, static_cast<std::uint64_t>(options.seed),
                        deviations(fit_feature_scales(samples, split_.train)));
  }
}

std::int64_t TranscribeProblem::batches_in_epoch(std::int64_t epoch) {
  batches_ = batches_by_length(training_lengths_, {.batch_size = options_.batch_size,
                                                   .seed = static_cast<std::uint64_t>(options_.seed),
                                                   .epoch = static_cast<std::uint64_t>(epoch)});
  return std::ssize(batches_);
}

void TranscribeProblem::prepare(std::int64_t epoch, std::int64_t batch) {
  chosen_.clear();
  batch_labels_.clear();
  for (const std::int64_t place : batches_[static_cast<std::size_t>(batch)]) {
    chosen_.push_back(split_.train[static_cast<std::size_t>(place)]);
    batch_labels_.push_back(labels_[static_cast<std::size_t>(chosen_.back())]);
  }
  batch_.assign(samples_, chosen_);
  if (noise_) noise_.add(epoch, chosen_, batch_.sequences.lengths, batch_.sequences.values);
}

Variable TranscribeProblem::loss(Tape<float>& tape, std::int64_t, std::int64_t) {
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++};
  detail::PassInput input = batch_.pass_input();
  input.bptt = options_.bptt;
  input.checkpoint_steps = checkpoint_steps;
  const Variable logits = detail::run_pass(network_, tape, layout_, input, true, key);
  return transcript_loss(logits, input.lengths, batch_labels_);
}

std::optional<Validation> TranscribeProblem::validate() {
  const StepLogits logits(network_, samples_, split_.valid);
  double loss = 0;
  std::int64_t labels = 0;
  for (std::int64_t n = 0; n < logits.samples(); ++n) {
    const Labelling& labelling = valid_labels_[static_cast<std::size_t>(n)];
    if (std::find(labelling.begin(), labelling.end(), kUnknownLabel) != labelling.end()) continue;
    loss += labelling_loss(logits.of(n), labelling);
    labels += std::ssize(labelling);
  }
  loss /= static_cast<double>(std::max<std::int64_t>(labels, 1));
  constexpr std::int64_t kEnough = 1000;  // with fewer labels their rate of errors is too coarse to choose an epoch by
  if (label_count(valid_labels_) < kEnough) return Validation{loss, "loss", loss, false};
  const auto [metric, value] = score_transcripts(names_, decode(logits, {}, names_), valid_labels_).front();
  return Validation{loss, metric, value, false};
}

std::vector<std::pair<std::string, double>> TranscribeProblem::gate_saturation(Tape<float>& tape) {
  batch_.assign(samples_, probe_samples(split_.train, options_.batch_size));
  return probe_gates(network_, tape, layout_, batch_.pass_input(), checkpoint_steps);
}

MemoryNeeds TranscribeProblem::memory_needs() {
  MemoryNeeds needs{network_.describe(), largest_batch(samples_, split_.train, options_.batch_size),
                    largest_prediction(samples_, split_.valid), data_bytes(samples_)};
  for (const std::int64_t n : split_.valid) needs.data_bytes += 4 * samples_.length(n) * names_.classes();  // logits
  return needs;
}

}  // namespace carousel
