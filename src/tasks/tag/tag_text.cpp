#include "tasks/tag/tag_text.h"

#include "data/text/normalize.h"
#include "data/text/utf8.h"

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

std::int64_t CodePoints::before(std::size_t byte) {
  for (; at_ < byte; ++count_) next_character(text_, at_);
  return count_;
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

TextTrace trace_of(const PlacedText& text, const std::vector<std::int32_t>& ids) {
  TextTrace trace;
  trace.raw = text.text;
  trace.normalized = normalize_text(text.text);
  trace.tokens = text.words();
  trace.ids = ids;
  CodePoints points(text.text);
  for (const auto& [begin, end] : text.tokens) {
    const std::int64_t first = points.before(begin);
    trace.places.push_back(
        {static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end), first, points.before(end)});
  }
  pad(trace, std::ssize(ids));
  return trace;
}

std::vector<TextTrace> explain_texts(const TagInfo& info, const std::vector<std::string>& texts) {
  TagData data;
  TextCutter cutter(info.text.level);
  std::vector<PlacedText> placed;
  for (const std::string& text : texts) {
    check_utf8(text);
    placed.push_back(cutter.cut(text));
    check_length(std::ssize(placed.back().tokens), "the text");
    data.sentences.push_back({.tokens = placed.back().words(), .path = "the text"});
  }
  encode_sentences(info, data);
  std::vector<TextTrace> traces;
  for (std::size_t n = 0; n < placed.size(); ++n) {
    TextTrace& trace = traces.emplace_back(trace_of(placed[n], data.words[n]));
    for (std::string& token : trace.tokens) token = normalized_token(token);
  }
  return traces;
}

}  // namespace carousel
