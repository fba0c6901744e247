#include "data/text/singleton.h"

#include "data/text/vocabulary.h"

namespace carousel {

std::vector<bool> find_singletons(std::span<const std::vector<std::int32_t>> sequences, std::int64_t vocabulary_size) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(vocabulary_size));
  for (const auto& ids : sequences) {
    for (const std::int32_t id : ids) ++counts[static_cast<std::size_t>(id)];
  }
  std::vector<bool> once(counts.size());
  for (std::size_t id = Vocabulary::kSpecials; id < counts.size(); ++id) once[id] = counts[id] == 1;
  return once;
}

void drop_singletons(const std::vector<bool>& singletons, double probability, const RandomKey& key,
                     std::span<std::int32_t> ids) {
  for (std::size_t t = 0; t < ids.size(); ++t) {
    if (singletons[static_cast<std::size_t>(ids[t])] && uniform(key, t) < probability) ids[t] = Vocabulary::kUnknown;
  }
}

}  // namespace carousel
