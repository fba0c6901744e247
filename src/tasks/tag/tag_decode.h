// tag_decode.h: from the scores of a tagger to tags that are valid together, and how likely they are.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "layers/output/crf_decode.h"
#include "tasks/tag/tag_model.h"

namespace carousel {

// Without a CRF the tags of a sentence are those of the highest scores that are valid together.
class TagDecoder {
 public:
  // Copies what it needs of the model's weights as they are now.
  TagDecoder(const Sequential& network, const TagInfo& info);

  // The best tags of one sentence, scores [T, K], that are valid together; if none are (of a single token, say, where
  // training had pairs B E only), the best of all.
  TagPath decode(std::span<const float> scores) const;
  // What such a sequence is chosen by: with the rules of the scheme or, if it is not valid, without.
  const CrfScores<float>& crf(bool valid) const { return valid ? valid_ : free_; }

 private:
  CrfScores<float> valid_, free_;
};

// The names of tags by their ids.
std::vector<std::string> names_of(std::span<const std::int32_t> ids, const std::vector<std::string>& names);

// Throws Error{kModel} if a network with so many scores of tags and intents is not that of the description.
void check_scores(std::int64_t tags, std::int64_t intents, const TagInfo& info);

// What the network says of one sentence: its index in `samples`, tags [T, K], intents [I] (empty: it has none).
using ScoresOfSentence =
    std::function<void(std::int64_t place, std::span<const float> tags, std::span<const float> intents)>;

// Runs the network without dropout over the sentences, batch by batch, in an order of its own; the scores live during
// the call of `take`. Throws as check_scores().
void score_sentences(Sequential& network, const TagData& data, std::span<const std::int64_t> samples,
                     const TagInfo& info, const ScoresOfSentence& take);

}  // namespace carousel
