#include "tasks/transcribe/transcribe_score.h"

#include <limits>
#include <map>
#include <optional>

#include "autograd/ops/ctc.h"
#include "base/thread_pool.h"
#include "tasks/edit_distance.h"
#include "tasks/transcribe/lm_scorer.h"

namespace carousel {
namespace {

// The words of labels that are characters, each word by a number of its own.
class WordNumbers {
 public:
  explicit WordNumbers(std::int32_t space) : space_(space) {}

  std::vector<std::int32_t> operator()(std::span<const std::int32_t> labels) {
    std::vector<std::int32_t> words;
    Labelling word;
    const auto end_word = [&] {
      const auto number = static_cast<std::int32_t>(numbers_.size());
      if (!word.empty()) words.push_back(numbers_.try_emplace(word, number).first->second);
      word.clear();
    };
    for (const std::int32_t label : labels) {
      if (label == space_ && space_ != kUnknownLabel) {
        end_word();
      } else {
        word.push_back(label);
      }
    }
    end_word();
    return words;
  }

 private:
  std::int32_t space_;
  std::map<Labelling, std::int32_t> numbers_;
};

struct ErrorRate {
  std::int64_t errors = 0, labels = 0;

  void add(std::span<const std::int32_t> predicted, std::span<const std::int32_t> reference) {
    errors += edit_distance(predicted, reference);
    labels += std::ssize(reference);
  }
  double percent() const {
    return 100 * static_cast<double>(errors) / static_cast<double>(std::max<std::int64_t>(labels, 1));
  }
};

}  // namespace

StepLogits::StepLogits(Module& network, const Samples& samples, std::span<const std::int64_t> indices)
    : rows_(predict_samples(network, samples, indices)), first_rows_{0} {
  for (const std::int64_t n : indices) first_rows_.push_back(first_rows_.back() + samples.length(n));
}

View<const float> StepLogits::of(std::int64_t n) const {
  const std::int64_t first = first_rows_[static_cast<std::size_t>(n)], K = rows_.shape()[1];
  return {rows_.data() + first * K, {first_rows_[static_cast<std::size_t>(n) + 1] - first, K}};
}

std::vector<CtcHypothesis> search_labels(const BasicTensor<double>& log_p, const TranscriptSearch& search,
                                         const TranscriptLabels& labels, std::int64_t n_best) {
  std::vector<CtcHypothesis> best;
  if (search.beam > 1) {
    std::optional<LmScorer> scorer;
    if (search.lm) scorer.emplace(*search.lm, labels);
    best = ctc_beam_search(log_p, {.beam = search.beam,
                                   .n_best = n_best,
                                   .scorer = scorer ? &*scorer : nullptr,
                                   .scorer_weight = search.lm_weight,
                                   .insertion_bonus = search.insertion_bonus});
  }
  if (best.empty()) best.push_back({.labels = ctc_greedy(log_p)});
  return best;
}

std::vector<Labelling> decode(const StepLogits& logits, const TranscriptSearch& search,
                              const TranscriptLabels& labels) {
  std::vector<Labelling> labellings(static_cast<std::size_t>(logits.samples()));
  parallel_for(logits.samples(), [&](std::int64_t n) {
    const BasicTensor<double> log_p = ctc_log_probabilities(logits.of(n));
    labellings[static_cast<std::size_t>(n)] = search_labels(log_p, search, labels, 1).front().labels;
  });
  return labellings;
}

double labelling_loss(View<const float> logits, const Labelling& labels) {
  const std::int64_t T = logits.shape[0];
  if (ctc_least_steps(labels) > T) return std::numeric_limits<double>::infinity();
  Tape<float> tape;
  tape.set_recording(false);
  const Shape shape{T, 1, logits.shape[1]};
  return ctc_loss<float>(tape.constant({logits.data, shape}), {}, {&labels, 1}).item();
}

Metrics score_transcripts(const TranscriptLabels& labels, std::span<const Labelling> predicted,
                          std::span<const Labelling> references) {
  ErrorRate by_label, by_word;
  WordNumbers words(labels.space());
  std::int64_t right = 0;
  for (std::size_t n = 0; n < references.size(); ++n) {
    by_label.add(predicted[n], references[n]);
    by_word.add(words(predicted[n]), words(references[n]));
    right += predicted[n] == references[n];
  }
  const double accuracy = static_cast<double>(right) / static_cast<double>(std::max<std::size_t>(references.size(), 1));
  if (labels.level() != TextLevel::kCharacter) return {{"wer", by_label.percent()}, {"accuracy", accuracy}};
  return {{"cer", by_label.percent()}, {"wer", by_word.percent()}, {"accuracy", accuracy}};
}

}  // namespace carousel
