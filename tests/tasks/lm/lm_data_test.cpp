// Oracles: counts and texts by hand, and error messages.
#include "tasks/lm/lm_data.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "tasks/baselines/ngram_baselines.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

TEST(LmData, CountsTokensLineEndsAndCharacters) {
  TemporaryFolder folder;
  put_file(folder / "a.txt", "\xEF\xBB\xBF the <unk> d\xC3\xA9j\xC3\xA0\r\n\nthe end");
  const Lines lines = read_lines({folder / "a.txt"});
  EXPECT_EQ(lines, (Lines{" the <unk> d\xC3\xA9j\xC3\xA0\n", "\n", "the end"}));
  DataOptions options;
  options.level = "word";
  const FittedLm words = fit_lm(lines, options);
  EXPECT_EQ(words.settings.level, TextLevel::kWhitespace);
  EXPECT_EQ(words.stream.ids.size(), 3u + 1 + 1 + 2 + 1);  // <eos> of every line
  EXPECT_EQ(words.stream.characters, 16 + 1 + 7 + 1);
  EXPECT_EQ(words.stream.ids[1], Vocabulary::kUnknown);
  options.level = "char";
  const FittedLm characters = fit_lm(lines, options);
  EXPECT_EQ(characters.stream.ids.size(), 16u + 1 + 7);
  EXPECT_EQ(characters.stream.characters, 16 + 1 + 7);
  LmEncoder encoder(characters.settings, characters.vocabulary);
  std::string text;
  for (const std::int32_t id : encoder.encode(lines).ids) text += encoder.text_of(id, 0);
  EXPECT_EQ(text, " the <unk> d\xC3\xA9j\xC3\xA0\n\nthe end");
}

// The tokens of the lines as text, one after another.
std::string written_back(const FittedLm& fitted, const Lines& lines) {
  LmEncoder encoder(fitted.settings, fitted.vocabulary);
  std::string text;
  std::int32_t previous = encoder.line_end();
  for (const std::int32_t id : encoder.encode(lines).ids) {
    text += encoder.text_of(id, previous);
    previous = id;
  }
  return text;
}

// By hand: as such texts are written, English and Chinese.
TEST(LmData, WordsAreWrittenAsOneWritesThem) {
  const Lines lines{"The room (small), \u623f\u95f4\u4e0d\u9519\uff0c ok.\n"};
  DataOptions options;
  options.level = "word";
  options.min_count = 1;
  const FittedLm fitted = fit_lm(lines, options);
  EXPECT_EQ(written_back(fitted, lines), lines[0]);
}

// Subwords written one by one give the text back, characters that are spelt in bytes included.
TEST(LmData, SubwordsGiveTheTextBackTokenByToken) {
  const Lines lines{"the cat sat on the mat\n", "\n", " the  cat, the mat\n", "d\xC3\xA9j\xC3\xA0 \xF0\x9F\x98\x80"};
  DataOptions options;
  options.level = "subword";
  options.max_vocabulary = 290;
  const FittedLm fitted = fit_lm({lines[0], lines[1], lines[2]}, options);
  EXPECT_EQ(fitted.settings.level, TextLevel::kSubword);
  EXPECT_EQ(written_back(fitted, lines), lines[0] + lines[1] + lines[2] + lines[3] + "\n");
}

// Adaptive and sampled softmax take small ids for frequent ones. Oracle: the counts of the training text themselves.
TEST(LmData, SubwordsAreNumberedByFallingCount) {
  DataOptions options;
  options.level = "subword";
  options.max_vocabulary = 300;
  const FittedLm fitted = fit_lm({"the cat, the cat, the mat, the end\n", "a cat sat, the end, the end\n"}, options);
  const std::span<const std::int64_t> counts = std::span(fitted.counts).subspan(Vocabulary::kSpecials);
  EXPECT_TRUE(std::is_sorted(counts.begin(), counts.end(), std::greater<>()));
  EXPECT_GT(counts[0], counts[5]);
  const std::vector<std::int32_t> first =
      LmEncoder(fitted.settings, fitted.vocabulary).encode({"the cat, the cat, the mat, the end\n"}).ids;
  EXPECT_TRUE(std::equal(first.begin(), first.end(), fitted.stream.ids.begin()));
}

// By hand: 60,000 words, each once.
TEST(LmData, SaysWhenTheVocabularyLeavesWordsOut) {
  std::string line;
  for (int k = 0; k < 60000; ++k) line += fmt::format("w{} ", k);
  DataOptions options;
  options.level = "whitespace";
  const FittedLm cut = fit_lm({line + "\n"}, options);
  EXPECT_EQ(cut.vocabulary.size(), 50000u);
  EXPECT_NE(cut.notes.back().find("50000 (the most frequent of 60000 tokens)"), std::string::npos) << cut.notes.back();
  const FittedLm whole = fit_lm({line + "<unk>\n"}, options);  // somebody chose these words
  EXPECT_EQ(whole.vocabulary.size(), 60000u + Vocabulary::kSpecials);
}

TEST(LmData, HoldsBackTheEndOfTheTextFromTheStartOfALine) {
  const TextParts parts = hold_back({"one\n", "two\n", "three\n", "four\n", "five\n", "six\n"}, 0.4);
  EXPECT_EQ(parts.train, (Lines{"one\n", "two\n", "three\n", "four\n"}));
  EXPECT_EQ(parts.valid, (Lines{"five\n", "six\n"}));
  const TextParts line = hold_back({"\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F"}, 0.6);  // four letters of two bytes
  EXPECT_EQ(line.train, (Lines{"\xC3\xA4\xC3\xB6"}));
  EXPECT_EQ(line.valid, (Lines{"\xC3\xBC\xC3\x9F"}));
  expect_error(Code::kUsage, {"1 bytes", "--valid"}, [] { hold_back({"a"}, 0.1); });
}

TEST(LmData, NamesEmptyFilesAndBytesThatAreNotUtf8) {
  TemporaryFolder folder;
  put_file(folder / "empty.txt", "");
  put_file(folder / "latin1.txt", "one\ntwo d\xE9j\xE0\n");
  expect_error(Code::kData, {"empty.txt", "empty"}, [&] { read_lines({folder / "empty.txt"}); });
  expect_error(Code::kData, {"latin1.txt:2", "byte 6", "0xe9"}, [&] { read_lines({folder / "latin1.txt"}); });
}

// Oracles: the formula by hand; probabilities of all words after one context add up to 1.
TEST(NgramBaselines, UnigramIsAddOneAndTrigramSumsToOne) {
  const std::vector<std::int64_t> counts{3, 0, 1};
  const std::vector<std::int32_t> ids{0, 1};
  EXPECT_NEAR(unigram_loss(counts, ids), -std::log(4.0 / 7) - std::log(1.0 / 7), 1e-14);
  constexpr std::int32_t kVocabulary = 9;
  std::vector<std::int32_t> training;
  for (std::uint64_t k = 0; k < 400; ++k) {
    training.push_back(static_cast<std::int32_t>(uniform_below({10, Purpose::kTest, 1}, k, kVocabulary)));
  }
  const std::vector<std::int32_t> context{training[5], training[6]};
  const double before = trigram_loss(training, kVocabulary, context);
  double sum = 0;
  for (std::int32_t id = 0; id < kVocabulary; ++id) {
    std::vector<std::int32_t> longer = context;
    longer.push_back(id);
    sum += std::exp(before - trigram_loss(training, kVocabulary, longer));
  }
  EXPECT_NEAR(sum, 1, 1e-12);
}

}  // namespace
}  // namespace carousel
