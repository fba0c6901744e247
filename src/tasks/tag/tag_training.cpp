#include "tasks/tag/tag_training.h"

#include <algorithm>

#include "autograd/ops/add.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum.h"
#include "base/fail.h"
#include "data/text/singleton.h"
#include "layers/scan/gate_saturation.h"
#include "tasks/gate_probe.h"
#include "tasks/tag/tag_decode.h"
#include "tasks/tag/tag_memory.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

constexpr double kHiddenShare = 0.5;  // of the words that occur once

}  // namespace

TagProblem::TagProblem(Sequential& network, const TagData& data, const TagInfo& info, Split split,
                       const ModelOptions& model, const TrainOptions& options)
    : TaskProblem(network),
      data_(data),
      info_(info),
      split_(std::move(split)),
      options_(options),
      rules_(tag_rules(info.tags, info.scheme)),
      valid_tags_only_(model.crf_valid_tags_only) {
  training_lengths_ = data.lengths(split_.train);
  if (info.buckets == 0) {  // else an unknown word has its trigrams, and an id behind the vocabulary
    std::vector<std::vector<std::int32_t>> training;
    for (const std::int64_t n : split_.train) training.push_back(data.words[static_cast<std::size_t>(n)]);
    singletons_ = find_singletons(training, info.words.size());
  }
  if (!valid_tags_only_) return;
  check_valid(split_.train);
  check_valid(split_.valid);
}

void TagProblem::check_valid(std::span<const std::int64_t> samples) const {
  for (const std::int64_t n : samples) {
    const TaggedSentence& sentence = data_.sentences[static_cast<std::size_t>(n)];
    const std::int64_t at = find_invalid(sentence.tags, info_.scheme);
    if (at < 0) continue;
    const auto token = static_cast<std::size_t>(std::min(at, std::ssize(sentence.tags) - 1));
    fail(Code::kData, "{}: tag '{}' is not valid there (scheme {}), and --crf-valid-tags-only trusts them to be",
         sentence.place(token), sentence.tags[token], scheme_name(info_.scheme));
  }
}

std::int64_t TagProblem::batches_in_epoch(std::int64_t epoch) {
  batches_ = batches_by_length(training_lengths_, {.batch_size = options_.batch_size,
                                                   .seed = static_cast<std::uint64_t>(options_.seed),
                                                   .epoch = static_cast<std::uint64_t>(epoch)});
  return std::ssize(batches_);
}

void TagProblem::prepare(std::int64_t epoch, std::int64_t batch) {
  chosen_.clear();
  for (const std::int64_t place : batches_[static_cast<std::size_t>(batch)]) {
    chosen_.push_back(split_.train[static_cast<std::size_t>(place)]);
  }
  batch_.assign(data_, chosen_);
  hide_singletons(epoch);
}

void TagProblem::hide_singletons(std::int64_t epoch) {
  if (singletons_.empty()) return;
  const std::int64_t N = std::ssize(chosen_);
  for (std::int64_t n = 0; n < N; ++n) {
    const auto sample = static_cast<std::uint64_t>(chosen_[static_cast<std::size_t>(n)]);
    const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kNoise,
                        static_cast<std::uint64_t>(epoch) << 32 | sample};
    std::vector<std::int32_t> words = data_.words[static_cast<std::size_t>(sample)];
    drop_singletons(singletons_, kHiddenShare, key, words);
    for (std::int64_t t = 0; t < std::ssize(words); ++t)
      batch_.words.ids[t * N + n] = words[static_cast<std::size_t>(t)];
  }
}

Variable tag_loss(Sequential& network, const TagData& data, const TagScores& scores,
                  std::span<const std::int64_t> samples, const CrfRules& rules) {
  const SequenceLayout& layout = *scores.layout;
  const auto N = static_cast<float>(layout.samples());
  std::vector<std::int32_t> tags(static_cast<std::size_t>(layout.rows())), intents;
  for (std::int64_t k = 0; k < layout.samples(); ++k) {
    const std::int64_t sample = samples[static_cast<std::size_t>(layout.sample(k))];
    for (std::int64_t t = 0; t < layout.length(k); ++t) {
      tags[static_cast<std::size_t>(layout.offset(t) + k)] =
          data.tags[static_cast<std::size_t>(sample)][static_cast<std::size_t>(t)];
    }
  }
  for (const std::int64_t sample : samples) intents.push_back(data.intents[static_cast<std::size_t>(sample)]);
  Variable loss;
  if (Crf* crf = tagger_crf(network)) {
    const Variable log_likelihood =
        crf_log_likelihood(scores.tags, crf->variables(scores.tags.tape()), tags, layout, rules);
    loss = scale(sum(log_likelihood), -1 / N);
  } else {
    loss = scale(cross_entropy<float>(scores.tags, tags), static_cast<float>(layout.rows()) / N);
  }
  return scores.intents ? add(loss, cross_entropy<float>(scores.intents, intents)) : loss;
}

Variable TagProblem::loss_of(const TagScores& scores, const std::vector<std::int64_t>& samples) {
  CrfRules rules;
  if (valid_tags_only_) rules = {rules_.start, rules_.end, rules_.transitions};
  return tag_loss(network_, data_, scores, samples, rules);
}

Variable TagProblem::loss(Tape<float>& tape, std::int64_t, std::int64_t) {
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++};
  const TagPass pass{info_.word_window, true, key, options_.bptt, checkpoint_steps};
  return loss_of(run_tagger(network_, tape, layouts_, batch_, pass), chosen_);
}

// Of the sentences whose tags training had.
double TagProblem::loss_without_training(const std::vector<std::int64_t>& samples) {
  std::vector<std::int64_t> known;
  for (const std::int64_t n : samples) {
    const auto& tags = data_.tags[static_cast<std::size_t>(n)];
    if (std::find(tags.begin(), tags.end(), -1) == tags.end()) known.push_back(n);
  }
  Tape<float> tape;
  tape.set_recording(false);
  TagBatch batch;
  double sum = 0;
  for (auto& places : batches_by_length(data_.lengths(known), {.batch_size = options_.batch_size, .shuffle = false})) {
    for (std::int64_t& place : places) place = known[static_cast<std::size_t>(place)];
    batch.assign(data_, places);
    tape.reset();
    const TagScores scores = run_tagger(network_, tape, layouts_, batch, {.word_window = info_.word_window});
    sum += static_cast<double>(loss_of(scores, places).item()) * static_cast<double>(places.size());
  }
  return known.empty() ? 0 : sum / static_cast<double>(known.size());
}

std::optional<Validation> TagProblem::validate() {
  const auto [name, value] = score_tagger(network_, data_, info_, split_.valid).metrics().front();
  return Validation{loss_without_training(split_.valid), name, value, true};
}

std::vector<std::pair<std::string, double>> TagProblem::gate_saturation(Tape<float>& tape) {
  batch_.assign(data_, probe_samples(split_.train, options_.batch_size));
  return carousel::gate_saturation(
      run_tagger(network_, tape, layouts_, batch_, {.word_window = info_.word_window}).tags);
}

MemoryNeeds TagProblem::memory_needs() { return tag_memory_needs(network_, data_, info_, split_, options_.batch_size); }

TagScore score_tagger(Sequential& network, const TagData& data, const TagInfo& info,
                      std::span<const std::int64_t> samples) {
  const TagDecoder decoder(network, info);
  TagScore score(info.scheme);
  score_sentences(network, data, samples, info,
                  [&](std::int64_t place, std::span<const float> tags, std::span<const float> intents) {
                    const TaggedSentence& sentence =
                        data.sentences[static_cast<std::size_t>(samples[static_cast<std::size_t>(place)])];
                    score.add(sentence.tags, names_of(decoder.decode(tags).tags, info.tags));
                    if (intents.empty() || sentence.label.empty()) return;
                    const auto best = std::max_element(intents.begin(), intents.end()) - intents.begin();
                    score.add_intent(sentence.label, info.intents[static_cast<std::size_t>(best)]);
                  });
  return score;
}

}  // namespace carousel
