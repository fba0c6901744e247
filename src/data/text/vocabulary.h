// vocabulary.h: the tokens that a model knows, and their ids.
//
// Ids 0 .. 3 are <pad> <unk> <bos> <eos>; then come the tokens by falling count, equal counts by their bytes, so that
// the same texts always give the same ids. A token that is not in it has the id of <unk>; so have <pad>, <bos> and
// <eos> if they stand in a text (<unk> in a text is itself).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/token_index.h"

namespace carousel {

class Vocabulary {
 public:
  static constexpr std::int32_t kPad = 0, kUnknown = 1, kBegin = 2, kEnd = 3, kSpecials = 4;

  Vocabulary();  // the four specials only

  // From tokens() of another one, as a model file holds them. Throws Error{kModel} if the specials do not come first,
  // or a token is empty or there twice.
  static Vocabulary from_tokens(const std::vector<std::string>& tokens);

  std::int64_t size() const noexcept { return index_.size(); }  // the specials included
  std::int32_t id(std::string_view token) const noexcept;
  const std::string& token(std::int32_t id) const;       // throws Error{kUsage} if out of range
  bool contains(std::string_view token) const noexcept;  // <pad>, <bos> and <eos> are no tokens of a text
  const std::vector<std::string>& tokens() const noexcept { return index_.tokens(); }  // by id

 private:
  TokenIndex index_;
};

struct VocabularyLimits {
  std::int64_t min_count = 1;  // rarer tokens are left out
  std::int64_t max_size = 0;   // of the vocabulary, specials included; 0: no limit
};

// Counts tokens. Each new one gets the next provisional id, from 0.
class TokenCounter {
 public:
  std::int32_t add(std::string_view token);  // counts one more; the token's provisional id

  std::int64_t distinct() const noexcept { return static_cast<std::int64_t>(counts_.size()); }
  std::int64_t total() const noexcept { return total_; }
  std::int64_t count(std::string_view token) const;  // 0 if never seen

  // The vocabulary of what was counted. `final_ids`, if given, becomes the id in it of every provisional id. Throws
  // Error{kUsage} for limits that make no sense.
  Vocabulary build(const VocabularyLimits& limits, std::vector<std::int32_t>* final_ids = nullptr) const;

 private:
  TokenIndex index_;
  std::vector<std::int64_t> counts_;  // by provisional id
  std::int64_t total_ = 0;
};

}  // namespace carousel
