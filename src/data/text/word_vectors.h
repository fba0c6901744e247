// word_vectors.h: vectors of words that were learnt elsewhere: the text format of word2vec, GloVe and fastText, plain
// or .gz. A line is a word and its numbers, with one blank between two; word2vec and fastText put a line with the count
// of words and of numbers first. A word may contain blanks (GloVe's has some): the numbers are the last of the line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "carousel/tensor.h"
#include "data/text/normalize.h"
#include "data/text/vocabulary.h"

namespace carousel {

struct WordVectors {
  Tensor rows;              // [vocabulary, size]; zeros where nothing was found
  std::vector<bool> found;  // by id
  std::int64_t words_in_file = 0;

  std::int64_t size() const { return rows.shape()[1]; }
  std::int64_t found_words() const;
};

// The vectors of the words of this vocabulary; specials get none. A word of the file that is not in it is looked up
// again as `normalize` writes it; of several that become one word, the one that needs no change counts, else the first.
// Throws Error{kData} with file and line for a line that does not fit, for a file without vectors, for numbers that are
// not finite; Error{kIo}.
WordVectors read_word_vectors(const std::string& path, const Vocabulary& vocabulary,
                              const NormalizeOptions& normalize = {});

}  // namespace carousel
