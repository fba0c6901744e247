// ngram_baselines.h: language models of counts, what a network has to beat.
//
//   unigram   p(c) = (n(c) + 1) / (n + V)
//   trigram   p(c | a b) = l3 n(abc) / n(ab) + (1 - l3) p(c | b)          (interpolated, Jelinek and Mercer 1980)
//             p(c | b)   = l2 n(bc) / n(b)   + (1 - l2) p(c)
//             p(c)       = l1 n(c) / n       + (1 - l1) / V
//
// l2 and l3 depend on how often the context b or ab was seen (a bucket for every power of two; 0 if never). They are
// fitted by expectation maximisation on the last tenth of the training text, with the counts of the rest; then the
// counts are those of all of it. Deterministic.
#pragma once

#include <cstdint>
#include <span>

namespace carousel {

// Sums of -log p in nats over `ids`, all below the size V of the vocabulary. Texts begin without context.
//
// counts [V]: of the training text.
double unigram_loss(std::span<const std::int64_t> counts, std::span<const std::int32_t> ids);
double trigram_loss(std::span<const std::int32_t> training, std::int64_t vocabulary_size,
                    std::span<const std::int32_t> ids);

}  // namespace carousel
