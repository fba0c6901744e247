// tag_check.h: what is odd about sentences with tags, before and after training.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tasks/tag/tag_model.h"
#include "tasks/task.h"

namespace carousel {

// What `data check tag` prints of options.data: counts of sentences, tokens, tags, spans, intents; sequences of tags
// that are not valid, with their lines.
DataReport check_tags(const DataOptions& options);

// Tags of these sentences that are no spans' among ten times as many that are, so that the scheme is plain by a slip: a
// line for each, with the place of the first one.
std::vector<std::string> odd_tags(const TagData& data, std::span<const std::int64_t> samples);

// Tells the observer how many of the training sentences have tags that are not valid in the scheme, and where the first
// one is.
void note_invalid(const TagData& data, const TagInfo& info, std::span<const std::int64_t> training, Observer& observer);

// Tells the observer which tags and intents of these sentences training had not: they count as errors.
void note_unknown(const TagData& data, const TagInfo& info, std::span<const std::int64_t> samples, Observer& observer);

}  // namespace carousel
