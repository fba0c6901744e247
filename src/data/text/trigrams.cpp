#include "data/text/trigrams.h"

#include <span>

#include "base/crc32.h"
#include "data/text/utf8.h"

namespace carousel {

std::vector<std::string> letter_trigrams(std::string_view word) {
  if (word.empty()) return {};
  std::string marked = "#";
  marked += word;
  marked += '#';
  std::vector<std::size_t> starts;  // of each character, and the end
  for (std::size_t at = 0; at < marked.size(); next_character(marked, at)) starts.push_back(at);
  starts.push_back(marked.size());
  std::vector<std::string> trigrams;
  for (std::size_t k = 0; k + 3 < starts.size(); ++k) {
    trigrams.push_back(marked.substr(starts[k], starts[k + 3] - starts[k]));
  }
  return trigrams;
}

std::int32_t trigram_bucket(std::string_view trigram, std::int64_t buckets) {
  return static_cast<std::int32_t>(static_cast<std::int64_t>(crc32(std::as_bytes(std::span(trigram)))) % buckets);
}

}  // namespace carousel
