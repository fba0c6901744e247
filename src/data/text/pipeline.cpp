#include "data/text/pipeline.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/text/join_words.h"
#include "data/text/normalize.h"
#include "data/text/utf8.h"

namespace carousel {

void check_utf8(std::string_view text) {
  if (const auto at = find_invalid_utf8(text)) {
    fail(Code::kData, "the text is not UTF-8 at byte {} (0x{:02x})", *at + 1,
         static_cast<unsigned char>(text[static_cast<std::size_t>(*at)]));
  }
}

namespace {

NormalizeOptions normalize_options(const TextSettings& settings) {
  return {.nfkc = settings.nfkc, .lowercase = settings.lowercase, .nfc = settings.nfc};
}

std::string checked_and_normalized(std::string_view text, const TextSettings& settings) {
  check_utf8(text);
  return normalize_text(text, normalize_options(settings));
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

// Finds places in a raw text; its characters are counted once.
class PlaceFinder {
 public:
  explicit PlaceFinder(std::string_view text) {
    characters_.reserve(text.size() + 1);
    std::int32_t count = 0;
    for (const char c : text) {
      if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) ++count;
      characters_.push_back(count - 1);
    }
    characters_.push_back(count);
  }

  // Of the bytes [begin, end) of the normalised text; an empty part stands before the byte that follows it.
  TokenPlace place(const NormalizedText& origin, std::int64_t begin, std::int64_t end) const {
    const std::int64_t last = std::ssize(characters_) - 1;
    const auto at = static_cast<std::size_t>(begin);
    const std::int64_t byte_begin = at < origin.begin.size() ? origin.begin[at] : last;
    return between(byte_begin, end > begin ? origin.end[static_cast<std::size_t>(end) - 1] : byte_begin);
  }

  TokenPlace end() const { return between(std::ssize(characters_) - 1, std::ssize(characters_) - 1); }

 private:
  TokenPlace between(std::int64_t begin, std::int64_t end) const {
    return {begin, end, characters_[static_cast<std::size_t>(begin)], characters_[static_cast<std::size_t>(end)]};
  }
  std::vector<std::int32_t> characters_;  // how many begin before a byte; the last entry: in all
};

}  // namespace

TextPipeline::TextPipeline(const TextSettings& settings, Vocabulary vocabulary)
    : settings_(settings), vocabulary_(std::move(vocabulary)) {
  if (settings.max_tokens < 0) fail(Code::kUsage, "max_tokens is {}, expected 0 or more", settings.max_tokens);
  if (settings.level != TextLevel::kSubword) {
    segmenter_.emplace(settings.level);
    return;
  }
  subwords_ = std::make_unique<Subwords>(settings.subwords, vocabulary_.tokens());
}

std::int32_t TextPipeline::id(std::string_view token) {
  if (settings_.buckets == 0 || vocabulary_.contains(token)) return vocabulary_.id(token);
  return static_cast<std::int32_t>(vocabulary_.size()) + unseen_words_.add(token);
}

std::vector<std::int32_t> TextPipeline::encode(std::string_view text) {
  const std::string normalized = checked_and_normalized(text, settings_);
  std::vector<std::int32_t> ids;
  if (subwords_) {
    ids = subwords_->encode(normalized);
  } else {
    segmenter_->segment(normalized, tokens_);
    ids.reserve(tokens_.size() + 2);
    for (const std::string_view token : tokens_) ids.push_back(id(token));
  }
  if (cut(settings_, ids)) ++cut_texts_;
  add_marks(settings_, Vocabulary::kBegin, Vocabulary::kEnd, ids);
  return ids;
}

TextTrace TextPipeline::explain(std::string_view text, std::int64_t length) {
  check_utf8(text);
  NormalizedText origin = normalize_with_origin(text, normalize_options(settings_));
  std::vector<Subword> pieces;  // of the normalised text, at any level
  if (subwords_) {
    pieces = subwords_->explain(origin.text);
  } else {
    segmenter_->segment(origin.text, tokens_);
    for (const std::string_view token : tokens_) {
      const std::int64_t begin = token.data() - origin.text.data();
      pieces.push_back({id(token), std::string(token), begin, begin + std::ssize(token)});
    }
  }
  cut(settings_, pieces);
  TextTrace trace;
  trace.raw = text;
  const PlaceFinder finder(text);
  for (Subword& piece : pieces) {
    trace.tokens.push_back(std::move(piece.piece));
    trace.ids.push_back(piece.id);
    trace.places.push_back(finder.place(origin, piece.begin, piece.end));
  }
  trace.normalized = std::move(origin.text);
  add_marks(settings_, vocabulary_.token(Vocabulary::kBegin), vocabulary_.token(Vocabulary::kEnd), trace.tokens);
  add_marks(settings_, Vocabulary::kBegin, Vocabulary::kEnd, trace.ids);
  add_marks(settings_, TokenPlace{}, finder.end(), trace.places);
  pad(trace, length);
  return trace;
}

void pad(TextTrace& trace, std::int64_t length) {
  constexpr std::int64_t kLongest = std::int64_t{1} << 24;
  if (length < 0 || length > kLongest) {
    fail(Code::kUsage, "the length to pad to is {}, expected 0 .. {}", length, kLongest);
  }
  const std::size_t padded = std::max(trace.ids.size(), static_cast<std::size_t>(length));
  trace.padded = trace.ids;
  trace.padded.resize(padded, Vocabulary::kPad);
  trace.mask.assign(trace.ids.size(), 1);
  trace.mask.resize(padded, 0);
}

std::string TextPipeline::decode(std::span<const std::int32_t> ids) const {
  std::vector<std::string_view> tokens;
  for (const std::int32_t id : ids) {
    const std::int64_t unseen = id - vocabulary_.size();
    const bool is_unseen = unseen >= 0 && unseen < unseen_words_.size();
    const std::string& token = is_unseen ? unseen_words()[static_cast<std::size_t>(unseen)] : vocabulary_.token(id);
    if (id == Vocabulary::kUnknown || id >= Vocabulary::kSpecials) tokens.push_back(token);
  }
  if (subwords_) return subwords_->decode(ids);
  if (settings_.level == TextLevel::kWord) return join_words(tokens);
  return fmt::format("{}", fmt::join(tokens, settings_.level == TextLevel::kWhitespace ? " " : ""));
}

std::string TextPipeline::text_of(std::int32_t id) const {
  const std::string& token = vocabulary_.token(id);
  return subwords_ ? subwords_->text_of(id) : token;
}

namespace {

FittedText fit_subwords(std::span<const std::string> texts, std::span<const std::int64_t> rows, TextSettings settings,
                        std::int64_t vocabulary_size) {
  if (settings.subwords.empty()) {
    std::vector<std::string> normalized;
    for (const std::int64_t row : rows) {
      normalized.push_back(checked_and_normalized(texts[static_cast<std::size_t>(row)], settings));
    }
    settings.subwords = train_subwords(normalized, settings.subword_model, vocabulary_size);
  }
  FittedText fitted{TextPipeline(settings, Vocabulary::from_tokens(Subwords(settings.subwords).tokens())), {}, 0, 0, 0};
  std::vector<bool> seen(static_cast<std::size_t>(fitted.pipeline.vocabulary().size()));
  for (const std::int64_t row : rows) {
    const auto& ids = fitted.ids.emplace_back(fitted.pipeline.encode(texts[static_cast<std::size_t>(row)]));
    fitted.tokens += std::ssize(ids) - (settings.add_bos ? 1 : 0) - (settings.add_eos ? 1 : 0);
    for (const std::int32_t id : ids) seen[static_cast<std::size_t>(id)] = id >= Vocabulary::kSpecials;
  }
  fitted.distinct_tokens = std::count(seen.begin(), seen.end(), true);
  fitted.cut_texts = fitted.pipeline.cut_texts();
  return fitted;
}

}  // namespace

FittedText fit_text(std::span<const std::string> texts, std::span<const std::int64_t> rows, TextSettings settings,
                    const VocabularyLimits& limits) {
  if (settings.level == TextLevel::kAuto) settings.level = choose_level(texts, rows);
  if (settings.level == TextLevel::kSubword) return fit_subwords(texts, rows, std::move(settings), limits.max_size);
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
