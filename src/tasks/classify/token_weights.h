// token_weights.h: which tokens of a text a classifier goes by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "carousel/layers.h"
#include "tasks/samples.h"

namespace carousel {

// The weights of attention pooling for ids [T, N] of these lengths: one for each token of each text, of sum 1. Of a
// hierarchical network the weight of the sentence times that of the word in it; a mark between sentences has none.
// Empty if the network does not pool so.
std::vector<std::vector<float>> token_weights(Sequential& network, const IdTensor& ids,
                                              std::span<const std::int32_t> lengths);

// Of a network that reads sentences of words the weights of the sentences of each of these samples, of sum 1. Empty if
// it does not pool them by attention.
std::vector<std::vector<float>> sentence_weights(Sequential& network, const Samples& samples,
                                                 std::span<const std::int64_t> indices);

// What a word, or a pair of neighbouring words (second >= 0), adds to the score of one class over that of another.
struct TermPush {
  std::int32_t first = 0, second = -1;
  double push = 0;
};

// Of the linear branch (TF-IDF), the strongest first, those above 0 alone, at most `most`. Empty if there is none.
std::vector<TermPush> term_pushes(Sequential& network, std::span<const std::int32_t> ids, std::int32_t for_class,
                                  std::int32_t over_class, std::size_t most);

}  // namespace carousel
