#include "data/text/target_text.h"

#include <utility>

namespace carousel {
namespace {

constexpr std::string_view kJoin = "\xEF\xBF\xAD";  // U+FFED

}  // namespace

std::vector<std::string> cut_target(Segmenter& segmenter, TextLevel level, std::string_view text) {
  std::vector<std::string_view> views;
  segmenter.segment(text, views);
  std::vector<std::string> tokens;
  tokens.reserve(views.size());
  const char* end = nullptr;  // of the token before
  for (const std::string_view view : views) {
    const bool joined = level == TextLevel::kWord && view.data() == end;
    tokens.push_back(joined ? std::string(kJoin).append(view) : std::string(view));
    end = view.data() + view.size();
  }
  return tokens;
}

std::string join_target(TextLevel level, std::span<const std::string> tokens) {
  std::string text;
  for (const std::string& token : tokens) {
    const bool joined = level == TextLevel::kWord && token.starts_with(kJoin);
    if (level != TextLevel::kCharacter && !joined && !text.empty()) text += ' ';
    text += std::string_view(token).substr(joined ? kJoin.size() : 0);
  }
  return text;
}

TargetText::TargetText(const TextSettings& settings, Vocabulary vocabulary)
    : level_(settings.level), vocabulary_(std::move(vocabulary)) {
  if (level_ != TextLevel::kSubword) {
    segmenter_.emplace(level_);
    return;
  }
  subwords_ = std::make_unique<Subwords>(settings.subwords, vocabulary_.tokens());
}

std::vector<std::string> TargetText::cut(std::string_view text) {
  if (!subwords_) return cut_target(*segmenter_, level_, text);
  std::vector<std::string> tokens;
  for (const std::int32_t id : subwords_->encode(text)) tokens.push_back(vocabulary_.token(id));
  return tokens;
}

std::vector<std::int32_t> TargetText::encode(std::string_view text) {
  std::vector<std::int32_t> ids;
  if (subwords_) {
    ids = subwords_->encode(text);
  } else {
    for (const std::string& token : cut(text)) ids.push_back(vocabulary_.id(token));
  }
  ids.push_back(Vocabulary::kEnd);
  return ids;
}

std::string TargetText::join(std::span<const std::string> tokens) const {
  if (!subwords_) return join_target(level_, tokens);
  std::vector<std::int32_t> ids;
  for (const std::string& token : tokens) ids.push_back(vocabulary_.id(token));
  return subwords_->decode(ids);
}

std::string TargetText::shown(const std::string& token) const {
  return subwords_ ? token : join_target(level_, {&token, 1});
}

}  // namespace carousel
