// beam_search.h: the most probable sequences of tokens that a model can write, for many samples at once.
//
//   score(y) = log p(y) / ((5 + |y|) / 6)^a      |y| with <eos>, a = length_penalty (Wu et al. 2016)
//
// Each sample keeps its `beam` most probable prefixes open. One that ends takes its place with it, so that a beam of 1
// is greedy decoding, and one as wide as the number of sequences finds them all. Log-probabilities only fall, so an
// open prefix of log p can at best score log p / ((5 + limit) / 6)^a: a sample ends once none of its prefixes can get
// among the n best that have ended.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

struct SearchOptions {
  std::int64_t beam = 1;
  std::int64_t n_best = 1;    // at most the beam
  double length_penalty = 0;  // a
};

struct SearchResult {
  std::vector<std::int32_t> tokens;  // without <eos>
  double log_probability = 0;        // of the tokens, and of <eos> if it ended
  double score = 0;
  bool ended = true;  // false: it reached its limit before <eos>
};

// The rows of one step, sample after sample. Row r goes on from row parents[r] of the step before (in the first step:
// from nothing) with tokens[r], <bos> in the first step.
struct SearchRows {
  std::vector<std::int64_t> parents, samples;
  std::vector<std::int32_t> tokens;
};

// What the search asks: the log-probabilities of every next token, [rows, V], valid until the next call.
class NextTokens {
 public:
  virtual ~NextTokens() = default;
  virtual std::int64_t vocabulary_size() const = 0;
  virtual std::span<const float> step(const SearchRows& rows) = 0;
};

// The best outputs of each sample, best first, at most n_best; limits: the most tokens of each, <eos> included, at
// least 1. <pad> and <bos> are never written. Where nothing ended within the limit there is one result, not ended.
// Throws Error{kUsage} for options out of range.
std::vector<std::vector<SearchResult>> beam_search(NextTokens& model, std::span<const std::int64_t> limits,
                                                   const SearchOptions& options);

}  // namespace carousel
