#include "tasks/classify/documents.h"

#include <algorithm>

#include "data/text/utf8.h"

namespace carousel {

std::vector<std::int32_t> DocumentEncoder::encode(const std::string& text) {
  if (find_invalid_utf8(text)) return pipeline_.encode(text);  // which says where
  std::vector<std::int32_t> ids;
  splitter_.split(text, sentences_);
  for (const std::string_view sentence : sentences_) {
    const std::vector<std::int32_t> words = pipeline_.encode(sentence);
    if (!ids.empty() && !words.empty()) ids.push_back(Vocabulary::kEnd);
    ids.insert(ids.end(), words.begin(), words.end());
  }
  return ids;
}

std::vector<std::string> DocumentEncoder::sentences(const std::string& text) {
  std::vector<std::string> list;
  splitter_.split(text, sentences_);
  for (const std::string_view sentence : sentences_) {
    if (!pipeline_.encode(sentence).empty()) list.emplace_back(sentence);
  }
  return list;
}

TextTrace DocumentEncoder::explain(const std::string& text, std::int64_t length) {
  TextTrace document = pipeline_.explain(text, length);
  document.tokens.clear();
  document.ids.clear();
  splitter_.split(text, sentences_);
  for (const std::string_view sentence : sentences_) {
    const TextTrace words = pipeline_.explain(sentence);
    if (!document.ids.empty() && !words.ids.empty()) {
      document.tokens.push_back(pipeline_.vocabulary().token(Vocabulary::kEnd));
      document.ids.push_back(Vocabulary::kEnd);
    }
    document.tokens.insert(document.tokens.end(), words.tokens.begin(), words.tokens.end());
    document.ids.insert(document.ids.end(), words.ids.begin(), words.ids.end());
  }
  const std::size_t padded = std::max(document.ids.size(), static_cast<std::size_t>(length));
  document.padded = document.ids;
  document.padded.resize(padded, Vocabulary::kPad);
  document.mask.assign(document.ids.size(), 1);
  document.mask.resize(padded, 0);
  return document;
}

}  // namespace carousel
