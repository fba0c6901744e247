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

TargetText::TargetText(TextLevel level, Vocabulary vocabulary)
    : level_(level), vocabulary_(std::move(vocabulary)), segmenter_(level) {}

std::vector<std::int32_t> TargetText::encode(std::string_view text) {
  std::vector<std::int32_t> ids;
  for (const std::string& token : cut(text)) ids.push_back(vocabulary_.id(token));
  ids.push_back(Vocabulary::kEnd);
  return ids;
}

}  // namespace carousel
