// bleu.h: BLEU of a corpus (Papineni et al. 2002) as sacreBLEU computes it with its defaults: tokeniser 13a, case kept,
// n-grams up to 4, exponential smoothing.
//
//   BLEU = 100 b (p_1 p_2 p_3 p_4)^(1/4)      p_n = sum of min(count in output, most in one reference) / sum of counts
//   b = 1 if the outputs are longer than the references, else exp(1 - r / c)    r: the nearest reference lengths
//
// The k-th order in turn without a match counts as p_n = 1 / (2^k (sum of counts)); nothing at all matching is 0.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

// Punctuation and symbols of ASCII become tokens of their own, periods, commas and dashes inside numbers do not
// (mteval-v13a). Tokens end at every blank of Unicode, as those that do not break of French, and at U+001C to U+001F.
std::vector<std::string> tokenize_13a(std::string_view text);

// In percent. At least one reference for each output. REQUIRES: as many outputs as lists of references.
double corpus_bleu(std::span<const std::string> outputs, std::span<const std::vector<std::string>> references);

}  // namespace carousel
