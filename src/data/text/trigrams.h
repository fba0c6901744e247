// trigrams.h: words as the three-letter pieces in them, hashed (Huang et al. 2013): words that are spelt alike share
// pieces, and a word that was never seen has them, too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

// Of "good": "#go", "goo", "ood", "od#", in characters (code points); a word of one character is one piece, "#a#".
// REQUIRES: well-formed UTF-8; the empty word has none.
std::vector<std::string> letter_trigrams(std::string_view word);

// The bucket, 0 .. buckets-1, of a piece: its CRC-32 modulo their number. Different pieces may share one.
// REQUIRES: buckets > 0.
std::int32_t trigram_bucket(std::string_view trigram, std::int64_t buckets);

}  // namespace carousel
