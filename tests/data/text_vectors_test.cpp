// Oracle: vectors written out by hand in each of the forms.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/gzip.h"
#include "data/text/word_vectors.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

Vocabulary words(const std::vector<std::string>& list) {
  TokenCounter counter;
  for (const std::string& word : list) counter.add(word);
  return counter.build({});
}

class WordVectorFiles : public testing::Test {
 protected:
  std::string write(std::string_view text) {
    const std::string path = folder_ / "vectors.txt";
    put_file(path, text);
    return path;
  }
  TemporaryFolder folder_;
};

// Ids: "a" 4, "film" 5, "new york" 6, "\u5317\u4EAC" 7.
const std::vector<std::string> kWords = {"a", "film", "new york", "\u5317\u4EAC"};

TEST_F(WordVectorFiles, AreReadWithAndWithoutHeaderPlainAndCompressed) {
  const std::string lines = "film 1 -2.5 3e-1\nnew york 4 5 6\n\u5317\u4EAC 7 8 9 \nother 1 1 1\n";
  const std::string forms[] = {lines, "4 3\n" + lines,
                               "4 3\r\nfilm\t1\t-2.5\t3e-1\r\nnew york 4 5 6\r\n\u5317\u4EAC 7 8 9\r\nother 1 1 1",
                               gzip_compress("4 3\n" + lines)};
  for (const std::string& form : forms) {
    const WordVectors vectors = read_word_vectors(write(form), words(kWords));
    EXPECT_EQ(vectors.words_in_file, 4);
    EXPECT_EQ(vectors.found, (std::vector<bool>{false, false, false, false, false, true, true, true}));
    EXPECT_EQ(vectors.found_words(), 3);
    ASSERT_EQ(vectors.rows.shape(), (Shape{8, 3}));
    const float expected[] = {0, 0, 0, 1, -2.5F, 0.3F, 4, 5, 6, 7, 8, 9};
    for (std::int64_t k = 0; k < 12; ++k) EXPECT_EQ(vectors.rows[12 + k], expected[k]) << k;
  }
}

TEST_F(WordVectorFiles, FindWordsAsTheTextIsNormalised) {
  const std::string path = write("Film 1\nFILM 2\nfilm 3\nA 4\n\uFF41 5\nfilm 6\n");
  const WordVectors vectors = read_word_vectors(path, words(kWords));
  EXPECT_EQ(vectors.rows[5], 3);  // as it stands, the first time
  EXPECT_EQ(vectors.rows[4], 4);  // the first that becomes it
  EXPECT_EQ(read_word_vectors(path, words(kWords), {.nfkc = false, .lowercase = false}).found_words(), 1);
}

TEST_F(WordVectorFiles, WrongLinesAreNamed) {
  const auto refuse = [&](std::string_view text, std::string_view part) {
    expect_error(Code::kData, {part}, [&] { read_word_vectors(write(text), words(kWords)); });
  };
  refuse("film 1 2\na 1\n", "vectors.txt:2: expected a word and 2 numbers, got 'a'");
  refuse("film 1 2\na 1 x\n", "vectors.txt:2: expected a word and 2 numbers, got 'x'");
  refuse("film 1 nan\n", "vectors.txt:1: expected a word and 2 numbers, got 'nan'");
  refuse("2 3\nfilm 1 2\n", "vectors.txt:2: expected a word and 3 numbers, got 'film'");
  refuse("2 3\n1 2 3\n", "vectors.txt:2: expected a word and 3 numbers, got '1 2 3'");
  refuse("5 0\nfilm\n", "vectors.txt:1: expected vectors of 1 to 100000 numbers, got '0'");
  refuse("film\n", "vectors.txt:1: expected a word and its numbers, got 'film'");
  refuse("", "vectors.txt: there are no vectors in it");
  refuse("2 3\n", "vectors.txt: there are no vectors in it");
  refuse("film 1\n\xFF 2\n", "vectors.txt:2: invalid UTF-8 at byte 1");
}

}  // namespace
}  // namespace carousel
