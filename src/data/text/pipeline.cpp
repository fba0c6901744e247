#include "data/text/pipeline.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/text/normalize.h"
#include "data/text/utf8.h"

namespace carousel {
namespace {

std::string checked_and_normalized(std::string_view text, const TextSettings& settings) {
  if (const auto at = find_invalid_utf8(text)) {
    fail(Code::kData, "the text is not UTF-8 at byte {} (0x{:02x})", *at + 1,
         static_cast<unsigned char>(text[static_cast<std::size_t>(*at)]));
  }
  return normalize_text(text, {settings.nfkc, settings.lowercase});
}

// Cuts what is beyond the limit; whether there was something.
template <class Token>
bool cut(const TextSettings& settings, std::vector<Token>& tokens) {
  const auto limit = static_cast<std::size_t>(settings.max_tokens);
  if (limit == 0 || tokens.size() <= limit) return false;
  tokens.resize(limit);
  return true;
}

template <class Token>
void add_marks(const TextSettings& settings, const Token& begin, const Token& end, std::vector<Token>& tokens) {
  if (settings.add_bos) tokens.insert(tokens.begin(), begin);
  if (settings.add_eos) tokens.push_back(end);
}

}  // namespace

TextPipeline::TextPipeline(const TextSettings& settings, Vocabulary vocabulary)
    : settings_(settings), vocabulary_(std::move(vocabulary)), segmenter_(settings.level) {
  if (settings.max_tokens < 0) fail(Code::kUsage, "max_tokens is {}, expected 0 or more", settings.max_tokens);
}

std::vector<std::int32_t> TextPipeline::encode(std::string_view text) {
  const std::string normalized = checked_and_normalized(text, settings_);
  segmenter_.segment(normalized, tokens_);
  if (cut(settings_, tokens_)) ++cut_texts_;
  std::vector<std::int32_t> ids;
  ids.reserve(tokens_.size() + 2);
  for (const std::string_view token : tokens_) ids.push_back(vocabulary_.id(token));
  add_marks(settings_, Vocabulary::kBegin, Vocabulary::kEnd, ids);
  return ids;
}

TextTrace TextPipeline::explain(std::string_view text, std::int64_t length) {
  TextTrace trace;
  trace.raw = text;
  trace.normalized = checked_and_normalized(text, settings_);
  segmenter_.segment(trace.normalized, tokens_);
  cut(settings_, tokens_);
  trace.tokens.assign(tokens_.begin(), tokens_.end());
  for (const std::string& token : trace.tokens) trace.ids.push_back(vocabulary_.id(token));
  add_marks(settings_, vocabulary_.token(Vocabulary::kBegin), vocabulary_.token(Vocabulary::kEnd), trace.tokens);
  add_marks(settings_, Vocabulary::kBegin, Vocabulary::kEnd, trace.ids);
  constexpr std::int64_t kLongest = std::int64_t{1} << 20;
  if (length < 0 || length > kLongest) {
    fail(Code::kUsage, "the length to pad to is {}, expected 0 .. {}", length, kLongest);
  }
  const std::size_t padded = std::max(trace.ids.size(), static_cast<std::size_t>(length));
  trace.padded = trace.ids;
  trace.padded.resize(padded, Vocabulary::kPad);
  trace.mask.assign(trace.ids.size(), 1);
  trace.mask.resize(padded, 0);
  return trace;
}

FittedText fit_text(std::span<const std::string> texts, std::span<const std::int64_t> rows, TextSettings settings,
                    const VocabularyLimits& limits) {
  if (settings.level == TextLevel::kAuto) settings.level = choose_level(texts, rows);
  Segmenter segmenter(settings.level);
  TokenCounter counter;
  std::vector<std::string_view> tokens;
  std::vector<std::vector<std::int32_t>> ids;
  std::int64_t cut_texts = 0;
  for (const std::int64_t row : rows) {
    const std::string normalized = checked_and_normalized(texts[static_cast<std::size_t>(row)], settings);
    segmenter.segment(normalized, tokens);
    std::vector<std::int32_t>& of_row = ids.emplace_back();
    of_row.reserve(tokens.size() + 2);
    for (const std::string_view token : tokens) of_row.push_back(counter.add(token));
    cut_texts += cut(settings, of_row) ? 1 : 0;
  }
  std::vector<std::int32_t> final_ids;
  Vocabulary vocabulary = counter.build(limits, &final_ids);
  for (std::vector<std::int32_t>& of_row : ids) {
    for (std::int32_t& id : of_row) id = final_ids[static_cast<std::size_t>(id)];
    add_marks(settings, Vocabulary::kBegin, Vocabulary::kEnd, of_row);
  }
  return {TextPipeline(settings, std::move(vocabulary)), std::move(ids), counter.total(), counter.distinct(),
          cut_texts};
}

}  // namespace carousel
