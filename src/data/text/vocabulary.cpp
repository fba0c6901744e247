#include "data/text/vocabulary.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/fail.h"
#include "data/nearest.h"

namespace carousel {
namespace {

constexpr std::array<std::string_view, Vocabulary::kSpecials> kSpecialTokens = {"<pad>", "<unk>", "<bos>", "<eos>"};

bool is_special(std::string_view token) {
  return std::find(kSpecialTokens.begin(), kSpecialTokens.end(), token) != kSpecialTokens.end();
}

}  // namespace

Vocabulary::Vocabulary() : tokens_(kSpecialTokens.begin(), kSpecialTokens.end()) {
  ids_.emplace(tokens_[kUnknown], kUnknown);
}

Vocabulary Vocabulary::from_tokens(std::vector<std::string> tokens) {
  const bool specials = tokens.size() >= kSpecialTokens.size() &&
                        std::equal(kSpecialTokens.begin(), kSpecialTokens.end(), tokens.begin());
  if (!specials) fail(Code::kModel, "vocabulary: expected it to start with <pad> <unk> <bos> <eos>");
  if (tokens.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    fail(Code::kModel, "vocabulary: {} tokens are more than 32-bit ids can number", tokens.size());
  }
  Vocabulary vocabulary;
  vocabulary.tokens_ = std::move(tokens);
  vocabulary.ids_.reserve(vocabulary.tokens_.size());
  for (std::size_t i = kSpecials; i < vocabulary.tokens_.size(); ++i) {
    const std::string& token = vocabulary.tokens_[i];
    if (token.empty()) fail(Code::kModel, "vocabulary: token {} is empty", i);
    const bool fresh = vocabulary.ids_.emplace(token, static_cast<std::int32_t>(i)).second;
    if (!fresh || is_special(token))
      fail(Code::kModel, "vocabulary: token {} ('{}') is there twice", i, shortened(token));
  }
  return vocabulary;
}

std::int32_t Vocabulary::id(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? kUnknown : found->second;
}

const std::string& Vocabulary::token(std::int32_t id) const {
  if (id < 0 || id >= size()) fail(Code::kUsage, "token id {} is out of range, expected 0 .. {}", id, size() - 1);
  return tokens_[static_cast<std::size_t>(id)];
}

std::int32_t TokenCounter::add(std::string_view token) {
  auto found = ids_.find(token);
  if (found == ids_.end()) {
    if (counts_.size() == static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()) - Vocabulary::kSpecials) {
      fail(Code::kData, "the texts have more than {} distinct tokens, the limit", counts_.size());
    }
    found = ids_.emplace(std::string(token), static_cast<std::int32_t>(counts_.size())).first;
    counts_.push_back(0);
  }
  ++total_;
  ++counts_[static_cast<std::size_t>(found->second)];
  return found->second;
}

std::int64_t TokenCounter::count(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? 0 : counts_[static_cast<std::size_t>(found->second)];
}

Vocabulary TokenCounter::build(const VocabularyLimits& limits, std::vector<std::int32_t>* final_ids) const {
  if (limits.min_count < 1) fail(Code::kUsage, "min_count is {}, expected at least 1", limits.min_count);
  if (limits.max_size != 0 && limits.max_size <= Vocabulary::kSpecials) {
    fail(Code::kUsage,
         "the vocabulary's size is limited to {}, expected more than its {} special tokens, or 0 (no limit)",
         limits.max_size, static_cast<int>(Vocabulary::kSpecials));
  }
  std::vector<const TokenMap::value_type*> kept;
  for (const auto& entry : ids_) {
    const bool frequent = counts_[static_cast<std::size_t>(entry.second)] >= limits.min_count;
    if (frequent && !entry.first.empty() && !is_special(entry.first)) kept.push_back(&entry);
  }
  std::sort(kept.begin(), kept.end(), [this](const auto* a, const auto* b) {
    const std::int64_t count_a = counts_[static_cast<std::size_t>(a->second)];
    const std::int64_t count_b = counts_[static_cast<std::size_t>(b->second)];
    return count_a != count_b ? count_a > count_b : a->first < b->first;
  });
  const auto room = static_cast<std::size_t>(limits.max_size - Vocabulary::kSpecials);
  if (limits.max_size != 0 && kept.size() > room) kept.resize(room);
  if (final_ids != nullptr) final_ids->assign(counts_.size(), Vocabulary::kUnknown);
  std::vector<std::string> tokens(kSpecialTokens.begin(), kSpecialTokens.end());
  for (const auto* entry : kept) {
    if (final_ids != nullptr) {
      (*final_ids)[static_cast<std::size_t>(entry->second)] = static_cast<std::int32_t>(tokens.size());
    }
    tokens.push_back(entry->first);
  }
  return Vocabulary::from_tokens(std::move(tokens));
}

}  // namespace carousel
