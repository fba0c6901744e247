#include "tasks/tag/tag_text.h"

namespace carousel {

std::vector<std::string> PlacedText::words() const {
  std::vector<std::string> list;
  for (const auto& [begin, end] : tokens) list.push_back(text.substr(begin, end - begin));
  return list;
}

TextCutter::TextCutter(TextLevel level) : words_(level == TextLevel::kCharacter ? TextLevel::kWhitespace : level) {
  if (level == TextLevel::kCharacter) characters_.emplace(level);
}

PlacedText TextCutter::cut(std::string text) {
  PlacedText placed{std::move(text)};
  const auto add = [&](std::string_view token) {
    const auto begin = static_cast<std::size_t>(token.data() - placed.text.data());
    placed.tokens.emplace_back(begin, begin + token.size());
  };
  words_.segment(placed.text, cut_);
  for (const std::string_view word : cut_) {
    if (!characters_) {
      add(word);
      continue;
    }
    characters_->segment(word, inner_);
    for (const std::string_view character : inner_) add(character);
  }
  return placed;
}

PlacedText joined_text(const std::vector<std::string>& tokens, TextLevel level) {
  PlacedText placed;
  for (const std::string& token : tokens) {
    if (!placed.tokens.empty() && level != TextLevel::kCharacter) placed.text += ' ';
    placed.tokens.emplace_back(placed.text.size(), placed.text.size() + token.size());
    placed.text += token;
  }
  return placed;
}

}  // namespace carousel
