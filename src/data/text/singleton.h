// singleton.h: teaching a model what to do with a word that it does not know: in training a word that was seen once
// becomes <unk> now and then (Lample et al. 2016, section 4.2), so that <unk> is trained on words in real places.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace carousel {

// For every id 0 .. vocabulary_size-1 whether it occurs exactly once in these sequences, the training part. Specials do
// not count. REQUIRES: ids in range.
std::vector<bool> find_singletons(std::span<const std::vector<std::int32_t>> sequences, std::int64_t vocabulary_size);

// Replaces ids[t] by <unk> with this probability where it is a singleton: if uniform(key, t) < probability. A pure
// function of its arguments; give every sample and epoch a key of its own (Purpose::kNoise).
void drop_singletons(const std::vector<bool>& singletons, double probability, const RandomKey& key,
                     std::span<std::int32_t> ids);

}  // namespace carousel
