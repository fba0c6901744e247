// documents.h: a text as sentences of words, for hierarchical networks: token ids with a mark, Vocabulary::kEnd,
// between the sentences. Sentences without tokens are left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/text/pipeline.h"
#include "data/text/sentences.h"

namespace carousel {

class DocumentEncoder {
 public:
  explicit DocumentEncoder(TextPipeline& pipeline) : pipeline_(pipeline) {}  // borrowed

  // Throw Error{kData} that names the byte if the text is not UTF-8.
  std::vector<std::int32_t> encode(const std::string& text);
  std::vector<std::string> sentences(const std::string& text);      // that encode() has ids of
  TextTrace explain(const std::string& text, std::int64_t length);  // marks stand as <eos> among the tokens

 private:
  TextPipeline& pipeline_;
  SentenceSplitter splitter_;
  std::vector<std::string_view> sentences_;
};

}  // namespace carousel
