// tag_decode.h: from the scores of a tagger to tags that are valid together, and how likely they are.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "layers/crf_decode.h"
#include "tasks/tag/tag_model.h"

namespace carousel {

// Without a CRF the tags of a sentence are those of the highest scores that are valid together.
class TagDecoder {
 public:
  // Copies what it needs of the model's weights as they are now.
  TagDecoder(const Sequential& network, const TagInfo& info);

  // scores [T, K] of one sentence.
  TagPath decode(std::span<const float> scores) const { return best_path(scores, crf_); }
  // The `count` best, best first; fewer if fewer are valid.
  std::vector<TagPath> decode(std::span<const float> scores, std::int64_t count) const {
    return best_paths(scores, crf_, count);
  }
  TagProbabilities probabilities(std::span<const float> scores) const { return tag_probabilities(scores, crf_); }
  // The probability that these tags stand at `begin` and behind it.
  double span_probability(std::span<const float> scores, const TagProbabilities& probabilities, std::int64_t begin,
                          std::span<const std::int32_t> tags) const {
    return run_probability(scores, crf_, probabilities, begin, tags);
  }

 private:
  CrfScores<float> crf_;
};

// The names of tags by their ids.
std::vector<std::string> names_of(std::span<const std::int32_t> ids, const std::vector<std::string>& names);

// What the network says of one sentence: its index in `samples`, tags [T, K], intents [I] (empty: it has none).
using ScoresOfSentence =
    std::function<void(std::int64_t place, std::span<const float> tags, std::span<const float> intents)>;

// Runs the network without dropout over the sentences, batch by batch, in an order of its own; the scores live during
// the call of `take`. Throws Error{kModel} if the network has not the tags and intents of its description.
void score_sentences(Sequential& network, const TagData& data, std::span<const std::int64_t> samples,
                     const TagInfo& info, const ScoresOfSentence& take);

}  // namespace carousel
