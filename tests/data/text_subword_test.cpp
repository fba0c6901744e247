// Oracle: SentencePiece's own interface, asked directly; and the text itself, which must come back.
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include "base/random.h"
#include "data/text/pipeline.h"
#include "data/text/subword.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

using Ids = std::vector<std::int32_t>;

// English and Chinese: words drawn from two short lists, a few words a text.
std::vector<std::string> small_corpus() {
  const std::string_view words[] = {"the",
                                    "film",
                                    "was",
                                    "unbelievably",
                                    "unbelievable",
                                    "good",
                                    "goodness",
                                    "bad",
                                    "badly",
                                    "made",
                                    "makes",
                                    "believe",
                                    ",",
                                    ".",
                                    "\u7535\u5F71",
                                    "\u597D\u770B",
                                    "\u4E0D\u597D\u770B",
                                    "\u9152\u5E97"};
  std::vector<std::string> texts;
  for (std::uint64_t n = 0; n < 400; ++n) {
    std::string& text = texts.emplace_back();
    for (std::uint64_t k = 0; k < 9; ++k) {
      if (k > 0) text += ' ';
      text += words[uniform_below({3, Purpose::kTest, n}, k, std::size(words))];
    }
  }
  return texts;
}

// What no corpus of ours has: blanks in a row, at the ends, tabs, lines, emoji with joiners, right-to-left text,
// combining marks, a NUL, special tokens as text.
const std::vector<std::string> kHardTexts = {"",
                                             " ",
                                             "  two  blanks ",
                                             "tab\tline\nCRLF\r\nend",
                                             "\U0001F468\u200D\U0001F469\u200D\U0001F467 family",
                                             "\u05E9\u05DC\u05D5\u05DD \u0633\u0644\u0627\u0645",
                                             "e\u0301 cafe\u0301",
                                             std::string("nul\0in it", 9),
                                             "<unk> <pad> <s> \u2585 <0xE2>",
                                             "\u7535\u5F71\u5F88\u597D\u770B"};

class SubwordKinds : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Both, SubwordKinds, testing::Values("bpe", "unigram"));

TEST_P(SubwordKinds, EveryTextComesBackToTheByte) {
  const std::vector<std::string> texts = small_corpus();
  Subwords subwords(train_subwords(texts, GetParam(), 340));
  EXPECT_LE(subwords.tokens().size(), 340u);
  EXPECT_EQ(subwords.tokens()[Vocabulary::kUnknown], "<unk>");
  for (const auto& list : {texts, kHardTexts}) {
    for (const std::string& text : list) {
      const Ids ids = subwords.encode(text);
      ASSERT_EQ(subwords.decode(ids), text) << testing::PrintToString(text);
      ASSERT_EQ(std::count(ids.begin(), ids.end(), Vocabulary::kUnknown), 0) << text;
      // The same pieces by the other road, whose places cover the text without a gap; bytes share their character's.
      std::int64_t begin = 0, end = 0;
      Ids again;
      for (const Subword& piece : subwords.explain(text)) {
        again.push_back(piece.id);
        const bool shared = piece.begin == begin && piece.end == end && piece.piece.starts_with("<0x");
        ASSERT_TRUE(piece.begin == end || shared) << text << piece.begin;
        begin = piece.begin;
        ASSERT_EQ(piece.piece, subwords.tokens()[static_cast<std::size_t>(piece.id)]);
        end = piece.end;
      }
      ASSERT_EQ(again, ids);
      ASSERT_EQ(end, std::ssize(text));
    }
  }
  EXPECT_EQ(subwords.decode(Ids{Vocabulary::kBegin, Vocabulary::kEnd, Vocabulary::kPad}), "");
}

TEST_P(SubwordKinds, CutsAsSentencePieceItselfDoes) {
  const std::string serialised = train_subwords(small_corpus(), GetParam(), 340);
  Subwords subwords(serialised);
  sentencepiece::SentencePieceProcessor theirs;
  ASSERT_TRUE(theirs.LoadFromSerializedProto(serialised).ok());
  for (const std::string& text : small_corpus()) {
    std::vector<std::string> expected, got;
    ASSERT_TRUE(theirs.Encode(text, &expected).ok());
    for (const std::int32_t id : subwords.encode(text)) got.push_back(subwords.tokens()[static_cast<std::size_t>(id)]);
    ASSERT_EQ(got, expected);
    ASSERT_LT(got.size(), text.size() / 2);  // pieces of more than a letter were learnt
  }
  // Words are remembered: blanks anywhere, words that come again, and some that are too long to be.
  const std::string_view parts[] = {" ", "  ", "film", "goodness", "q", "\t", "\u7535\u5F71", "\u3000", "\u2581"};
  for (std::uint64_t n = 0; n < 3000; ++n) {
    std::string text;
    for (std::uint64_t k = 0; k < 9; ++k) text += parts[uniform_below({5, Purpose::kTest, n}, k, std::size(parts))];
    if (n % 100 == 0) text += std::string(100, 'b');
    std::vector<std::string> expected, got;
    ASSERT_TRUE(theirs.Encode(text, &expected).ok());
    for (const std::int32_t id : subwords.encode(text)) got.push_back(subwords.tokens()[static_cast<std::size_t>(id)]);
    ASSERT_EQ(got, expected) << testing::PrintToString(text);
  }
}

TEST_P(SubwordKinds, LearningTwiceGivesTheSameBits) {
  EXPECT_EQ(train_subwords(small_corpus(), GetParam(), 340), train_subwords(small_corpus(), GetParam(), 340));
}

// SentencePiece passes over lines of more than 4,192 bytes and those with U+2585, without a word about it.
TEST_P(SubwordKinds, LongAndOddTextsAreLearntFrom) {
  std::string whole, chinese;
  for (const std::string& text : small_corpus()) whole += text + " ";
  for (int k = 0; k < 30000; ++k) chinese += "\u7535\u5F71";  // 180 kB without a blank
  std::string odd;
  for (int k = 0; k < 60; ++k) odd += std::string("zebra\0zebra \u2585 ", 16);
  Subwords english(train_subwords(std::vector<std::string>{whole, odd}, GetParam(), 400));
  EXPECT_LE(english.encode("unbelievably").size(), 4u);
  EXPECT_FALSE(english.tokens()[static_cast<std::size_t>(english.encode("z").back())].starts_with("<0x"));
  Subwords repeated(train_subwords(std::vector<std::string>{chinese}, GetParam(), 400));
  EXPECT_LE(repeated.encode("\u7535\u5F71").size(), 2u);
  EXPECT_EQ(repeated.decode(repeated.encode(chinese)), chinese);
}

// Oracle: a model trained through SentencePiece with its own defaults: control symbols first, NFKC inside, no bytes.
TEST(Subwords, AModelOfAnotherProgramIsTakenAsItIs) {
  struct Lines final : sentencepiece::SentenceIterator {
    std::vector<std::string> lines = small_corpus();
    std::size_t at = 0;
    bool done() const override { return at == lines.size(); }
    void Next() override { ++at; }
    const std::string& value() const override { return lines[at]; }
    sentencepiece::util::Status status() const override { return {}; }
  } lines;
  std::string serialised;
  const std::unordered_map<std::string, std::string> settings{
      {"vocab_size", "60"}, {"hard_vocab_limit", "false"}, {"minloglevel", "4"}};
  ASSERT_TRUE(sentencepiece::SentencePieceTrainer::Train(settings, &lines, &serialised).ok());
  sentencepiece::SentencePieceProcessor theirs;
  ASSERT_TRUE(theirs.LoadFromSerializedProto(serialised).ok());
  Subwords subwords(serialised);
  // <unk> <s> </s> are not among ours, which has four of its own.
  EXPECT_EQ(std::ssize(subwords.tokens()), theirs.GetPieceSize() - 3 + Vocabulary::kSpecials);
  EXPECT_EQ(subwords.tokens()[Vocabulary::kSpecials], theirs.IdToPiece(3));
  for (const char* text : {"the film", "\uFF54\uFF48\uFF45  film", "the Q film"}) {
    std::vector<int> expected;
    std::string decoded;
    ASSERT_TRUE(theirs.Encode(text, &expected).ok() && theirs.Decode(expected, &decoded).ok());
    const Ids ids = subwords.encode(text);
    ASSERT_EQ(ids.size(), expected.size());
    for (std::size_t k = 0; k < ids.size(); ++k) EXPECT_EQ(ids[k], expected[k] == 0 ? 1 : expected[k] + 1);
    EXPECT_EQ(subwords.decode(ids), decoded);
  }
}

TEST(Subwords, WrongInputIsNamed) {
  expect_error(Code::kUsage, {"subword model 'word' is unknown, expected bpe or unigram"},
               [] { train_subwords(std::vector<std::string>{"a"}, "word", 300); });
  expect_error(Code::kUsage, {"vocabulary of 100 failed", "--max-vocabulary"},
               [] { train_subwords(small_corpus(), "bpe", 100); });
  expect_error(Code::kData, {"no text to learn subwords from"}, [] {
    train_subwords(std::vector<std::string>{"", ""}, "bpe", 0);
  });
  for (const char* bytes : {"", "no model", "\xFF\xFF\xFF\xFF"}) {
    expect_error(Code::kModel, {"are no SentencePiece model"}, [&] { Subwords subwords{std::string(bytes)}; });
  }
}

TEST(Subwords, APipelineLearnsThemFromItsTrainingTextsOnly) {
  std::vector<std::string> texts = small_corpus();
  texts.push_back("Zebra zebra zebra");
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row + 1 < std::ssize(texts); ++row) rows.push_back(row);
  TextSettings settings;
  settings.level = TextLevel::kSubword;
  settings.add_eos = true;
  FittedText fitted = fit_text(texts, rows, settings, {1, 330});
  EXPECT_EQ(fitted.pipeline.vocabulary().size(), 330);
  EXPECT_FALSE(fitted.pipeline.vocabulary().contains("zebra"));
  ASSERT_EQ(fitted.ids.size(), rows.size());
  std::int64_t tokens = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ASSERT_EQ(fitted.ids[row], fitted.pipeline.encode(texts[row]));
    tokens += std::ssize(fitted.ids[row]) - 1;
  }
  EXPECT_EQ(fitted.tokens, tokens);
  EXPECT_EQ(fitted.pipeline.decode(fitted.pipeline.encode("The  \uFF26ilm")), "the  film");
  // The same again from what a model file keeps; another vocabulary is refused.
  TextPipeline again(fitted.pipeline.settings(), fitted.pipeline.vocabulary());
  EXPECT_EQ(again.encode("The Zebra"), fitted.pipeline.encode("The Zebra"));
  expect_error(Code::kModel, {"vocabulary of 4 tokens is not that of its subwords, 330"},
               [&] { TextPipeline(fitted.pipeline.settings(), Vocabulary()); });
}

}  // namespace
}  // namespace carousel
