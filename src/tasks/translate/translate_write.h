// translate_write.h: what translators write for samples, as text.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "tasks/translate/translate_data.h"
#include "tasks/translate/translate_decode.h"

namespace carousel {

struct WrittenText {
  std::vector<std::string> tokens;
  std::string text;
  double score = 0, log_probability = 0;  // as SearchResult
  bool ended = true;
  TokenIds ids = {};  // what the decoder wrote: of tokens, but <unk> where a source token was copied; without <eos>
};

struct WriteOptions {
  SearchOptions search;
  bool copy_unknown = false;  // <unk> becomes the source token that it looks at most (Luong et al. 2015)
};

// The best outputs of each sample, best first. `models` and `info` are those of translate().
std::vector<std::vector<WrittenText>> write_texts(std::span<const Translator> models, const TranslateInfo& info,
                                                  const TranslateData& data, std::span<const std::int64_t> samples,
                                                  const WriteOptions& options);
std::vector<WrittenText> best_of(std::vector<std::vector<WrittenText>> written);

// The first source, and the first target, of each sample.
std::vector<TokenIds> sources_of(const TranslateData& data, std::span<const std::int64_t> samples);
std::vector<TokenIds> targets_of(const TranslateData& data, std::span<const std::int64_t> samples);

// The tokens of a source as they stand in the text, case included where that does not change how it is cut; then <eos>.
std::vector<std::string> source_tokens(const TranslateInfo& info, std::string_view text);

// What each token of an output, and <eos> if it ended, looked at when it was written.
struct Alignment {
  std::vector<std::string> source, output;  // with <eos>; without the marks of target_text.h
  Tensor weights;                           // [output, source], each row adds up to 1
};
// Reads the `ids` of what is written.
std::vector<Alignment> align(std::span<const Translator> models, const TranslateInfo& info, const TranslateData& data,
                             std::span<const std::int64_t> samples, std::span<const WrittenText> written);
nlohmann::ordered_json alignment_json(const Alignment& alignment);

}  // namespace carousel
