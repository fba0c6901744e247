// translate_score.h: how good what a translator writes is, and what plain methods write.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/task.h"
#include "tasks/translate/translate_data.h"
#include "tasks/translate/translate_write.h"

namespace carousel {

// The metrics of some outputs against the targets of these samples, in the order of their importance for this kind:
//   accuracy   share of outputs that are one of the sample's targets, white space aside
//   bleu       corpus_bleu() of the texts (not of characters)
//   wer        kTranslation: edit distance of words, in percent of the targets' words
//              kPronunciation: share of outputs that are none of the targets, in percent
//   per        edit distance of tokens in percent of the target's tokens (not kTranslation)
// Of several targets the nearest one counts, the first of equals.
Metrics score_written(const TranslateInfo& info, const TranslateData& data, std::span<const std::int64_t> samples,
                      std::span<const WrittenText> written);

// token_accuracy and perplexity by the tokens of the targets.
Metrics score_forced(std::span<const Forced> forced);
// The mean of -log p over all tokens.
double forced_loss(std::span<const Forced> forced);

// What plain methods write for these samples: "copy_source" and "most_frequent"; kPronunciation: "letters", the tokens
// that stand most often at the place of each letter.
std::vector<Baseline> translate_baselines(const TranslateInfo& info, const TranslateData& data,
                                          std::span<const std::int64_t> samples);

}  // namespace carousel
