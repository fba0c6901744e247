// subword.h: texts cut into subwords with the SentencePiece library (Kudo & Richardson 2018): pieces of words that are
// learnt from a corpus, frequent words whole, rare ones in parts; "bpe" merges the most frequent pair of pieces again
// and again (Sennrich et al. 2016), "unigram" keeps the pieces that make the corpus most probable (Kudo 2018).
//
// A blank is written U+2581 and belongs to the piece behind it, and a character that is no piece is spelt in the bytes
// of its UTF-8 (<0xE2> ...): decoding gives the text back to the byte, whatever it is. (U+2581 itself becomes a blank.)
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/token_index.h"

namespace carousel {

inline constexpr std::int64_t kSubwordVocabulary = 8000;  // if no size is asked for

// A SentencePiece model, serialised, of `texts`; a pure function of its arguments. `model`: "bpe" or "unigram".
// `vocabulary_size` is the most it may have, specials included; 0: kSubwordVocabulary. Throws Error{kUsage} for another
// model and for a size below what characters and bytes need, Error{kData} if the texts are empty.
std::string train_subwords(std::span<const std::string> texts, const std::string& model, std::int64_t vocabulary_size);

// A part of a text as bytes [begin, end) of it; the bytes that spell a character share all of it.
struct Subword {
  std::int32_t id = 0;  // in our numbers, see Subwords
  std::string piece;
  std::int64_t begin = 0, end = 0;
};

// A SentencePiece model with our ids: <pad> <unk> <bos> <eos> are 0 .. 3, then come its pieces and bytes in its order
// or in a given one, without its own control symbols. It remembers how words were cut and so belongs to one thread at a
// time.
class Subwords {
 public:
  explicit Subwords(const std::string& serialised);  // throws Error{kModel} if this is no SentencePiece model
  // By id `order`, tokens() of another one in any order. Throws Error{kModel} also if it is not that.
  Subwords(const std::string& serialised, const std::vector<std::string>& order);
  ~Subwords();
  Subwords(const Subwords&) = delete;
  Subwords& operator=(const Subwords&) = delete;

  const std::vector<std::string>& tokens() const noexcept { return tokens_; }  // by id; for Vocabulary::from_tokens
  // REQUIRES: well-formed UTF-8.
  std::vector<std::int32_t> encode(std::string_view text);
  std::vector<Subword> explain(std::string_view text) const;
  // The text of these ids, <pad>, <bos> and <eos> left out. REQUIRES: ids in range.
  std::string decode(std::span<const std::int32_t> ids) const;
  // The bytes that a piece adds to a text: a blank for U+2581, one byte of a character that is spelt.
  // REQUIRES: in range.
  std::string text_of(std::int32_t id) const;

 private:
  std::vector<std::int32_t> encode_whole(std::string_view text) const;
  void find_blank();
  bool words_are_apart() const;
  void append_word(std::string_view word, std::vector<std::int32_t>& ids);

  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
  std::vector<std::string> tokens_;
  std::vector<std::int32_t> ours_;  // by SentencePiece's id
  std::vector<int> theirs_;         // by our id
  std::int32_t blank_ = 0;          // the id of a blank alone; 0: a text cannot be cut word by word
  TokenIndex words_;                // those cut so far, with their ids one behind another
  std::vector<std::size_t> word_ends_;
  std::vector<std::int32_t> word_ids_;
};

}  // namespace carousel
