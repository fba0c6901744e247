// tag_data.h: sentences as the numbers that a tagger reads, and the vocabularies that make them so.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/tagged.h"
#include "data/text/pipeline.h"
#include "layers/tokens/token_inputs.h"
#include "tasks/options.h"

namespace carousel {

// Sentences, and their numbers once encode_sentences() has run: for each sentence one per token.
struct TagData {
  std::vector<TaggedSentence> sentences;
  std::vector<std::vector<std::int32_t>> words;      // ids of the vocabulary, or behind it a place in `unseen`
  std::vector<std::vector<std::int32_t>> shapes;     // 1 + WordShape; 0: padding
  std::vector<std::vector<std::int32_t>> pairs;      // ids of each token with the next one, if the model knows pairs
  std::vector<std::vector<std::int32_t>> forms;      // of each token its place in `spellings`
  std::vector<std::vector<std::int32_t>> spellings;  // the characters of each distinct token, if the model reads them
  std::vector<std::vector<std::int32_t>> tags;       // -1: a tag that training had not; empty: none
  std::vector<std::int32_t> intents;                 // -1: a label that training had not, or none
  WordPieces unseen;                                 // of words beyond the vocabulary, if the model hashes words
  std::vector<std::string> notes;                    // what was passed over, one line each

  std::int64_t size() const noexcept { return std::ssize(sentences); }
  std::vector<std::int32_t> lengths(std::span<const std::int64_t> samples) const;
};

// Reads --data, or --valid, with tags (and intents) as the options say. Without --format it is "parallel" if there are
// files of tags, else "columns". Throws as read_tagged(), and Error{kData} for a sentence too long to be tagged at
// once.
TagData read_tag_data(const DataOptions& options, bool valid);

inline constexpr std::int64_t kMostTokens = 20000;  // of a sentence
// Throws Error{kData} that names the place of a sentence with more tokens.
void check_length(std::int64_t tokens, const std::string& place);

// Adds the sentences of `more` behind those of `data`; before they are encoded.
void append(TagData& data, TagData more);

// How raw text is to be cut: --level, else as these training texts were: single characters, words by the Unicode rules
// (if these cut at least four of five sentences in the same places), else what stands between white space. Throws
// Error{kUsage} for --level subword: the tokens of the data have tags, not pieces of words.
TextLevel tag_level(const DataOptions& options, const TagData& data, std::span<const std::int64_t> samples);

// What tokens, their pairs and characters, tags and intents have ids in. Pairs and characters hold the specials only if
// the model does not read them; tags and intents are sorted.
struct TagVocabularies {
  Vocabulary words, pairs, characters;
  std::vector<std::string> tags, intents;
  std::int64_t buckets = 0;  // above 0: the model hashes words by their letter trigrams
};

// Fills everything of `data` that follows from its sentences.
void encode_sentences(const TagVocabularies& known, TagData& data);

// What stands for a token and the one behind it ("" behind the last one) in the vocabulary of pairs.
std::string pair_of(std::string_view normalized, std::string_view next);

// The token as the vocabulary has it: one spelling (NFKC), lower case.
std::string normalized_token(std::string_view token);

// The characters (grapheme clusters) of a token.
std::vector<std::string> characters_of(Segmenter& segmenter, std::string_view token);

}  // namespace carousel
