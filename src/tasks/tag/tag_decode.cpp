#include "tasks/tag/tag_decode.h"

#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "tasks/samples.h"
#include "tasks/tag/tag_network.h"

namespace carousel {

TagDecoder::TagDecoder(const Sequential& network, const TagInfo& info) {
  const Crf* crf = tagger_crf(network);
  if (crf && crf->tags() != std::ssize(info.tags)) {
    fail(Code::kModel, "the tagger's CRF has {} tags, its description names {}", crf->tags(), info.tags.size());
  }
  const TagRules rules = tag_rules(info.tags, info.scheme);
  valid_ = crf_scores(crf, std::ssize(info.tags), {rules.start, rules.end, rules.transitions});
  free_ = crf_scores(crf, std::ssize(info.tags), {});
}

TagPath TagDecoder::decode(std::span<const float> scores) const {
  TagPath path = best_path(scores, valid_);
  const bool nothing_allowed = path.score == -std::numeric_limits<double>::infinity();
  return nothing_allowed ? best_path(scores, free_) : path;
}

std::vector<std::string> names_of(std::span<const std::int32_t> ids, const std::vector<std::string>& names) {
  std::vector<std::string> list;
  for (const std::int32_t id : ids) list.push_back(names[static_cast<std::size_t>(id)]);
  return list;
}

void check_scores(std::int64_t tags, std::int64_t intents, const TagInfo& info) {
  if (tags == std::ssize(info.tags) && intents == std::ssize(info.intents)) return;
  fail(Code::kModel, "the tagger scores {} tags and {} intents, its description names {} and {}", tags, intents,
       info.tags.size(), info.intents.size());
}

void score_sentences(Sequential& network, const TagData& data, std::span<const std::int64_t> samples,
                     const TagInfo& info, const ScoresOfSentence& take) {
  constexpr std::int64_t kSteps = 1 << 15;  // of a padded batch
  const std::vector<std::int32_t> lengths = data.lengths(samples);
  const std::int64_t longest = lengths.empty() ? 1 : *std::max_element(lengths.begin(), lengths.end());
  const std::int64_t batch_size = std::clamp<std::int64_t>(kSteps / longest, 1, kInferenceBatch);
  Tape<float> tape;
  tape.set_recording(false);
  detail::Layouts layouts;
  TagBatch batch;
  std::vector<float> of_sentence;
  for (const auto& places : batches_by_length(lengths, {.batch_size = batch_size, .shuffle = false})) {
    std::vector<std::int64_t> chosen;
    for (const std::int64_t place : places) chosen.push_back(samples[static_cast<std::size_t>(place)]);
    batch.assign(data, chosen);
    tape.reset();
    const TagScores scores = run_tagger(network, tape, layouts, batch, {.word_window = info.word_window});
    const std::int64_t K = scores.tags.shape().back(), I = scores.intents ? scores.intents.shape().back() : 0;
    check_scores(K, I, info);
    for (std::int64_t k = 0; k < scores.layout->samples(); ++k) {
      of_sentence.clear();
      for (std::int64_t t = 0; t < scores.layout->length(k); ++t) {
        const float* row = scores.tags.value().data + (scores.layout->offset(t) + k) * K;
        of_sentence.insert(of_sentence.end(), row, row + K);
      }
      const std::int64_t n = scores.layout->sample(k);
      std::span<const float> intents;
      if (I > 0) {
        intents = scores.intents.value().span().subspan(static_cast<std::size_t>(n * I), static_cast<std::size_t>(I));
      }
      take(places[static_cast<std::size_t>(n)], of_sentence, intents);
    }
  }
}

}  // namespace carousel
