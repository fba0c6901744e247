#include "data/text/vocabulary.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/fail.h"
#include "data/nearest.h"

namespace carousel {
namespace {

constexpr std::array<std::string_view, Vocabulary::kSpecials> kSpecialTokens = {"<pad>", "<unk>", "<bos>", "<eos>"};

bool is_special(std::string_view token) {
  return std::find(kSpecialTokens.begin(), kSpecialTokens.end(), token) != kSpecialTokens.end();
}

}  // namespace

Vocabulary::Vocabulary() {
  for (const std::string_view token : kSpecialTokens) index_.add(token);
}

Vocabulary Vocabulary::from_tokens(const std::vector<std::string>& tokens) {
  const bool specials = tokens.size() >= kSpecialTokens.size() &&
                        std::equal(kSpecialTokens.begin(), kSpecialTokens.end(), tokens.begin());
  if (!specials) fail(Code::kModel, "vocabulary: expected it to start with <pad> <unk> <bos> <eos>");
  if (tokens.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    fail(Code::kModel, "vocabulary: {} tokens are more than 32-bit ids can number", tokens.size());
  }
  Vocabulary vocabulary;
  for (std::size_t i = kSpecials; i < tokens.size(); ++i) {
    const std::string& token = tokens[i];
    if (token.empty()) fail(Code::kModel, "vocabulary: token {} is empty", i);
    if (vocabulary.index_.add(token) != static_cast<std::int32_t>(i)) {
      fail(Code::kModel, "vocabulary: token {} ('{}') is there twice", i, shortened(token));
    }
  }
  return vocabulary;
}

std::int32_t Vocabulary::id(std::string_view token) const noexcept {
  const std::int32_t id = index_.find(token);
  return id < kSpecials ? kUnknown : id;
}

bool Vocabulary::contains(std::string_view token) const noexcept {
  const std::int32_t id = index_.find(token);
  return id >= kSpecials || id == kUnknown;
}

const std::string& Vocabulary::token(std::int32_t id) const {
  if (id < 0 || id >= size()) fail(Code::kUsage, "token id {} is out of range, expected 0 .. {}", id, size() - 1);
  return tokens()[static_cast<std::size_t>(id)];
}

std::int32_t TokenCounter::add(std::string_view token) {
  const std::int32_t id = index_.add(token);
  if (id == std::ssize(counts_)) {
    if (id == std::numeric_limits<std::int32_t>::max() - Vocabulary::kSpecials) {
      fail(Code::kData, "the texts have more than {} distinct tokens, the limit", id);
    }
    counts_.push_back(0);
  }
  ++total_;
  ++counts_[static_cast<std::size_t>(id)];
  return id;
}

std::int64_t TokenCounter::count(std::string_view token) const {
  const std::int32_t id = index_.find(token);
  return id == TokenIndex::kNone ? 0 : counts_[static_cast<std::size_t>(id)];
}

Vocabulary TokenCounter::build(const VocabularyLimits& limits, std::vector<std::int32_t>* final_ids) const {
  if (limits.min_count < 1) fail(Code::kUsage, "min_count is {}, expected at least 1", limits.min_count);
  if (limits.max_size != 0 && limits.max_size <= Vocabulary::kSpecials) {
    fail(Code::kUsage,
         "the vocabulary's size is limited to {}, expected more than its {} special tokens, or 0 (no limit)",
         limits.max_size, static_cast<int>(Vocabulary::kSpecials));
  }
  const auto token_of = [&](std::int32_t id) -> const std::string& {
    return index_.tokens()[static_cast<std::size_t>(id)];
  };
  const auto count_of = [&](std::int32_t id) { return counts_[static_cast<std::size_t>(id)]; };
  std::vector<std::int32_t> kept;
  for (std::int32_t id = 0; id < std::ssize(counts_); ++id) {
    if (count_of(id) >= limits.min_count && !token_of(id).empty() && !is_special(token_of(id))) kept.push_back(id);
  }
  std::sort(kept.begin(), kept.end(), [&](std::int32_t a, std::int32_t b) {
    return count_of(a) != count_of(b) ? count_of(a) > count_of(b) : token_of(a) < token_of(b);
  });
  const auto room = static_cast<std::size_t>(limits.max_size - Vocabulary::kSpecials);
  if (limits.max_size != 0 && kept.size() > room) kept.resize(room);
  if (final_ids != nullptr) final_ids->assign(counts_.size(), Vocabulary::kUnknown);
  std::vector<std::string> tokens(kSpecialTokens.begin(), kSpecialTokens.end());
  for (const std::int32_t id : kept) {
    if (final_ids != nullptr) (*final_ids)[static_cast<std::size_t>(id)] = static_cast<std::int32_t>(tokens.size());
    tokens.push_back(token_of(id));
  }
  return Vocabulary::from_tokens(tokens);
}

}  // namespace carousel
