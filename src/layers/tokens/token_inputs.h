// token_inputs.h: the other ways from token ids to numbers, beside Embedding (carousel/layers.h): a table that stays as
// it is, one number per token of the vocabulary, and the sum of the rows of a word's pieces.
//
// Like an Embedding each computes one row for each distinct token of the batch, and is folded into the layer above.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "carousel/layers.h"

namespace carousel {

// Whether a layer of this type (LayerDescription::type) takes token ids and gives numbers for each.
bool is_token_input(std::string_view type) noexcept;

// Words as lists of pieces: word w has pieces[starts[w]] .. pieces[starts[w + 1] - 1].
struct WordPieces {
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> pieces;

  std::int64_t words() const noexcept { return std::ssize(starts) - 1; }
  void add(std::span<const std::int32_t> pieces_of_word) {
    pieces.insert(pieces.end(), pieces_of_word.begin(), pieces_of_word.end());
    starts.push_back(std::ssize(pieces));
  }
};

// An Embedding whose table training leaves alone, for vectors that come from elsewhere.
class FixedEmbedding : public Module {
 public:
  FixedEmbedding(std::int64_t vocabulary_size, std::int64_t embedding_size);
  std::vector<Parameter*> buffers() override { return {&weight}; }
  void initialize(std::uint64_t seed) override;  // as Embedding
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  Parameter weight;  // [vocabulary_size, embedding_size]
};

// 1 of N: token v is the vector with a one at v and zeros elsewhere, [T, N] -> [T, N, vocabulary_size].
class OneHot : public Module {
 public:
  explicit OneHot(std::int64_t vocabulary_size);
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

 private:
  std::int64_t vocabulary_size_;
};

// The sum of one row of a table for each piece of the word, [T, N] -> [T, N, embedding_size]. The pieces of the
// vocabulary's words are kept in the model; words beyond it (ids from vocabulary_size on) are those of Flow::unseen.
class HashedEmbedding : public Module {
 public:
  static constexpr std::int64_t kMostPieces = (std::int64_t{1} << 24) - 1;  // buckets as well: floats hold them
  struct Sizes {
    std::int64_t vocabulary_size, buckets, embedding_size, pieces;  // pieces: of all words of the vocabulary together
  };
  explicit HashedEmbedding(const Sizes& sizes);
  // Throws Error{kUsage} if a piece is not in 0 .. buckets-1.
  HashedEmbedding(const WordPieces& words, std::int64_t buckets, std::int64_t embedding_size);
  std::vector<Parameter*> parameters() override { return {&weight}; }
  std::vector<Parameter*> buffers() override { return {&starts, &pieces}; }
  void initialize(std::uint64_t seed) override;  // normal, deviation 0.1
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

  // weight [buckets, embedding_size]; starts [vocabulary_size + 1] and pieces [pieces] as WordPieces has them, as
  // floats, which hold every number below 2^24 exactly.
  Parameter weight, starts, pieces;

 private:
  void append_pieces(const detail::Flow& flow, std::int32_t word, WordPieces& list) const;
};

namespace detail {

// Takes the ids of the flow: gives the distinct ones in the order in which they come, in the arena, and makes
// flow.row_index the place of each token among them. Throws Error{kUsage} for an id outside 0 .. limit-1, or if the
// flow has numbers, naming the layer.
std::span<const std::int32_t> fold_tokens(Flow& flow, std::int64_t limit, const char* layer);

}  // namespace detail

}  // namespace carousel
