// pipeline.h: from a text to the ids that a model takes: check, normalise, segment, look up; and back.
//
// A TextPipeline is settings and vocabulary, and holds the boundary rules of its segmenter: it belongs to one thread at
// a time; make another from the same settings and vocabulary for another thread. Its vocabulary is learnt from the
// training texts only (fit_text).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/segment.h"
#include "data/text/subword.h"
#include "data/text/vocabulary.h"

namespace carousel {

// Throws Error{kData} that names the byte if the text is not UTF-8.
void check_utf8(std::string_view text);

struct TextSettings {
  bool nfkc = true;
  bool lowercase = true;
  TextLevel level = TextLevel::kAuto;     // fit_text puts what it chose
  bool add_bos = false, add_eos = false;  // <bos> before, <eos> behind the tokens
  std::int64_t max_tokens = 0;            // longer texts are cut (and counted); 0: no limit
  bool nfc = false;                       // the form NFC, without nfkc
  std::string subword_model = "bpe";      // kSubword: "bpe" or "unigram", what fit_text learns
  std::string subwords = {};              // kSubword: a serialised SentencePiece model; empty: fit_text learns one
  std::int64_t buckets = 0;               // above 0: words are hashed by their letter trigrams into so many buckets
};

// Where a token comes from in the raw text: bytes [byte_begin, byte_end), which are the characters (code points)
// [begin, end). Tokens that normalising made of one character, as the letters of a ligature, share their place.
struct TokenPlace {
  std::int64_t byte_begin = 0, byte_end = 0, begin = 0, end = 0;
  bool operator==(const TokenPlace&) const = default;
};

// Every step of one text, for the eye.
struct TextTrace {
  std::string raw, normalized;
  std::vector<std::string> tokens;   // <bos> and <eos> included if the settings add them
  std::vector<std::int32_t> ids;     // one per token
  std::vector<std::int32_t> padded;  // ids, then <pad> up to the asked length
  std::vector<std::int32_t> mask;    // 1 for a token, 0 for padding
  std::vector<TokenPlace> places;    // one per token; of <bos> and <eos> empty, at the ends
};

// Makes padded and mask at least this long. Throws Error{kUsage} for a length below 0 or above 2^24.
void pad(TextTrace& trace, std::int64_t length);

class TextPipeline {
 public:
  // REQUIRES: level is not kAuto. Throws Error{kUsage} for a negative max_tokens; at level subword Error{kModel} if
  // settings.subwords is no SentencePiece model or `vocabulary` has not its tokens, in any order.
  TextPipeline(const TextSettings& settings, Vocabulary vocabulary);

  // Throw Error{kData} that names the byte if the text is not UTF-8.
  std::vector<std::int32_t> encode(std::string_view text);
  TextTrace explain(std::string_view text, std::int64_t length = 0);

  // The normalised text of these ids, without <pad>, <bos> and <eos>; an unknown token is <unk>. Level char and subword
  // give back to the byte what encode() took, but for unknown characters; words are put together by join_words(), what
  // stood between white space by blanks. Throws Error{kUsage} for an id out of range.
  std::string decode(std::span<const std::int32_t> ids) const;
  // What a token adds to a text that is written token by token: at level subword its blanks and bytes, else the token,
  // without what stands between words. Throws Error{kUsage} for an id out of range.
  std::string text_of(std::int32_t id) const;

  // With buckets a word that is not in the vocabulary gets an id behind it, vocabulary().size() + its place in this
  // list, which grows as texts are encoded.
  const std::vector<std::string>& unseen_words() const noexcept { return unseen_words_.tokens(); }

  const TextSettings& settings() const noexcept { return settings_; }
  const Vocabulary& vocabulary() const noexcept { return vocabulary_; }
  std::int64_t cut_texts() const noexcept { return cut_texts_; }  // texts longer than max_tokens, by encode() so far

 private:
  std::int32_t id(std::string_view token);

  TextSettings settings_;
  Vocabulary vocabulary_;
  std::optional<Segmenter> segmenter_;  // every level but kSubword
  std::unique_ptr<Subwords> subwords_;  // kSubword
  std::vector<std::string_view> tokens_;
  TokenIndex unseen_words_;
  std::int64_t cut_texts_ = 0;
};

struct FittedText {
  TextPipeline pipeline;
  std::vector<std::vector<std::int32_t>> ids;  // of each of `rows`, as pipeline.encode() gives them
  std::int64_t tokens = 0;                     // in these texts, before any is cut
  std::int64_t distinct_tokens = 0;            // before the limits
  std::int64_t cut_texts = 0;                  // texts longer than max_tokens
};

// Learns the vocabulary from the texts at `rows`, the training part, and encodes them. At level subword the subwords
// are learnt, at most limits.max_size of them (0: kSubwordVocabulary), unless settings.subwords has them. Throws as
// encode() and train_subwords().
FittedText fit_text(std::span<const std::string> texts, std::span<const std::int64_t> rows, TextSettings settings,
                    const VocabularyLimits& limits);

}  // namespace carousel
