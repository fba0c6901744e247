// tag_memory.h: what a step of training a tagger takes, its embeddings, spellings and CRF included.
#pragma once

#include <cstdint>

#include "data/split.h"
#include "tasks/memory_plan.h"
#include "tasks/tag/tag_model.h"

namespace carousel {

// Of the batch of the longest training sentences.
MemoryNeeds tag_memory_needs(const Sequential& network, const TagData& data, const TagInfo& info, const Split& split,
                             std::int64_t batch_size);

}  // namespace carousel
