#include "tasks/translate/translate_training.h"

#include <algorithm>

#include "autograd/ops/add.h"
#include "autograd/ops/scale.h"
#include "layers/attention/coverage_loss.h"
#include "tasks/metrics.h"
#include "tasks/samples.h"
#include "tasks/training_run.h"
#include "tasks/translate/translate_score.h"
#include "tasks/translate/translate_write.h"

namespace carousel {

TranslateProblem::TranslateProblem(Sequential& network, const TranslateData& data, const TranslateInfo& info,
                                   std::vector<std::int64_t> training, std::vector<std::int64_t> valid,
                                   const TrainOptions& options)
    : TaskProblem(network),
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
  const std::int64_t last = options_.epochs - 1;
  const double done = last == 0 ? 1 : static_cast<double>(epoch) / static_cast<double>(last);
  const double share = options_.scheduled_sampling * done;
  if (share > 0) sample_inputs(share);
  const Translator::Encoded encoded = translator_.encode(tape, layouts_, sources_, true, next_key(), checkpoint_steps);
  std::span<const Attended<float>> steps;
  const Translator::Writing writing{inputs_, encoded, sources_.lengths, nullptr,
                                    options_.coverage_loss > 0 ? &steps : nullptr};
  const Variable logits = translator_.decode(tape, layouts_, writing, true, next_key());
  const Variable loss = cross_entropy<float>(logits, packed_targets(targets_, target_layout_), loss_options_);
  const Variable again = coverage_loss(steps);
  return again ? add(loss, scale(again, options_.coverage_loss / static_cast<double>(target_layout_.rows()))) : loss;
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

namespace {

// The pass of the encoder over some pairs, longest sources first, and that of the decoder.
struct PairSizes {
  PassSizes source, target;
};

PairSizes pair_sizes(const TranslateData& data, std::vector<std::int64_t> pairs, std::int64_t batch_size) {
  const auto length = [](const std::vector<TokenIds>& texts, std::int64_t pair) {
    return std::ssize(texts[static_cast<std::size_t>(pair)]);
  };
  // What attention takes is their product.
  std::stable_sort(pairs.begin(), pairs.end(), [&](std::int64_t a, std::int64_t b) {
    return length(data.sources, a) * length(data.targets, a) > length(data.sources, b) * length(data.targets, b);
  });
  if (std::ssize(pairs) > batch_size) pairs.resize(static_cast<std::size_t>(batch_size));
  PairSizes sizes;
  sizes.source = sizes.target = {.time_steps = 0, .samples = std::ssize(pairs), .rows = 0, .packed = true};
  for (const std::int64_t pair : pairs) {
    const std::int64_t S = length(data.sources, pair), steps = length(data.targets, pair);
    sizes.source.time_steps = std::max(sizes.source.time_steps, S);
    sizes.source.rows += S;
    sizes.target.time_steps = std::max(sizes.target.time_steps, steps);
    sizes.target.rows += steps;
    sizes.target.memory_pairs += S * steps;
  }
  sizes.target.memory_rows = sizes.source.rows;
  sizes.source.distinct_tokens = sizes.source.rows;
  sizes.target.distinct_tokens = sizes.target.rows;
  return sizes;
}

std::int64_t bytes_of(const TranslateData& data) {
  std::size_t bytes = 0;
  for (const auto* texts : {&data.pairs.sources, &data.pairs.targets}) {
    for (const std::string& text : *texts) bytes += sizeof text + text.size();
  }
  for (const auto* sides : {&data.sources, &data.targets}) {
    for (const TokenIds& ids : *sides) bytes += sizeof ids + ids.size() * sizeof ids.front();
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

// The memory goes from the packed rows of the encoder to the padded form and back. When texts are written, the search
// holds what the decoder looks at twice, of the sources and of the prefixes.
MemoryNeeds TranslateProblem::memory_needs() {
  const PairSizes training = pair_sizes(data_, training_, options_.batch_size);
  std::vector<std::int64_t> firsts;
  for (const std::int64_t sample : valid_) firsts.push_back(data_.groups[static_cast<std::size_t>(sample)].front());
  const PairSizes scored = pair_sizes(data_, firsts, kInferenceBatch),
                  written = pair_sizes(data_, firsts, kRowsPerStep);
  LayerDescription encoder = translator_.encoder().describe(), decoder = translator_.decoder().describe();
  encoder.branches[0].push_back({"memory", LayerDescription{"scale", {}, {}}});
  const AttentionDecoderOptions& attention = translator_.attention().options();
  const std::int64_t keys = attention.score == "general" ? attention.hidden_size
                            : attention.scaled           ? attention.memory_size  // dot
                                                         : attention.attention_size;
  const std::int64_t log_p = (scored.target.rows + 2 * kRowsPerStep) * translator_.target_size();
  const std::int64_t looked_at = 2 * written.source.rows * (attention.memory_size + keys);
  std::int64_t bytes = bytes_of(data_) + static_cast<std::int64_t>(sizeof(float)) * (log_p + looked_at);
  if (options_.scheduled_sampling > 0) {
    bytes += inference_pass_bytes(encoder, training.source) + inference_pass_bytes(decoder, training.target);
  }
  const std::int64_t again = options_.coverage_loss > 0 ? 3 * training.target.memory_pairs : 0;
  return {.network = std::move(encoder),
          .training = training.source,
          .validation = written.source,
          .data_bytes = bytes,
          .above = {{.kept = again, .gradient = again}},
          .beside = {{std::move(decoder), training.target, scored.target}}};
}

}  // namespace carousel
