// Oracle: tokens written out by hand; Unicode Standard Annex 29 and 15 for what they must be. Chinese is written as
// escapes; the English stands beside it.
#include <gtest/gtest.h>
#include <unicode/brkiter.h>
#include <unicode/uchar.h>

#include <memory>

#include "base/random.h"
#include "data/text/normalize.h"
#include "data/text/segment.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

using Tokens = std::vector<std::string>;

Tokens cut(TextLevel level, std::string_view text) {
  Segmenter segmenter(level);
  std::vector<std::string_view> tokens;
  segmenter.segment(text, tokens);
  return {tokens.begin(), tokens.end()};
}

TEST(Words, PunctuationIsKeptSpacesAreNotAndContractionsStayWhole) {
  EXPECT_EQ(cut(TextLevel::kWord, " I don't, \"know\" 3.14\tor x_1!\n"),
            (Tokens{"I", "don't", ",", "\"", "know", "\"", "3.14", "or", "x_1", "!"}));
  EXPECT_EQ(cut(TextLevel::kWord, ""), Tokens{});
  EXPECT_EQ(cut(TextLevel::kWord, " \t\xE3\x80\x80"), Tokens{});  // the last is the ideographic space
}

TEST(Words, ChineseIsCutByTheDictionary) {
  // I / love / Beijing / Tiananmen
  EXPECT_EQ(cut(TextLevel::kWord, "\u6211\u7231\u5317\u4EAC\u5929\u5B89\u95E8"),
            (Tokens{"\u6211", "\u7231", "\u5317\u4EAC", "\u5929\u5B89\u95E8"}));
  // hotel / decoration / so-so / , / but / still / OK
  EXPECT_EQ(cut(TextLevel::kWord, "\u9152\u5E97\u88C5\u4FEE\u4E00\u822C\uFF0C\u4F46 OK."),
            (Tokens{"\u9152\u5E97", "\u88C5\u4FEE", "\u4E00\u822C", "\uFF0C", "\u4F46", "OK", "."}));
}

// Every token of ICU's own word boundaries that does not begin with white space.
Tokens words_of_icu(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> boundaries(
      icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
  const icu::UnicodeString characters = icu::UnicodeString::fromUTF8(text);
  boundaries->setText(characters);
  Tokens tokens;
  for (std::int32_t begin = 0, end = boundaries->next(); end != icu::BreakIterator::DONE; end = boundaries->next()) {
    if (!u_isUWhiteSpace(characters.char32At(begin)))
      characters.tempSubStringBetween(begin, end).toUTF8String(tokens.emplace_back());
    begin = end;
  }
  EXPECT_TRUE(U_SUCCESS(status));
  return tokens;
}

// Oracle: ICU's boundaries of the whole text. Every pair and triple of ASCII characters between letters and digits;
// then texts of what can join over a boundary: marks, combining accents, joiners, several scripts, white space.
TEST(Words, AreThoseOfIcuThoughAsciiIsCutWithoutIt) {
  for (char a = 1; a != 127; ++a) {
    for (char b = 1; b != 127; ++b) {
      const std::string text = {'x', a, 'y', b, '1', a, '2', b, a, 'z', a, '3', b, '_', a};
      ASSERT_EQ(cut(TextLevel::kWord, text), words_of_icu(text)) << testing::PrintToString(text);
    }
  }
  const std::string_view pieces[] = {
      "a",      "B",      "7",      "_",      ".",      ",",      ";",      ":",      "'",      "\"",        "-",
      " ",      "  ",     "\t",     "\r",     "\n",     "\x0B",   "\x1C",   "\u00A0", "\u0301", "\u200D",    "\u00AD",
      "\u2019", "\u00E9", "\u0416", "\u05D0", "\u5317", "\u4EAC", "\u30AB", "\u0E2A", "\u3000", "\U0001F1E8"};
  for (std::uint64_t n = 0; n < 20000; ++n) {
    std::string text;
    for (std::uint64_t k = 0; k < 12; ++k) text += pieces[uniform_below({7, Purpose::kTest, n}, k, std::size(pieces))];
    ASSERT_EQ(cut(TextLevel::kWord, text), words_of_icu(text)) << testing::PrintToString(text);
  }
}

TEST(Characters, AreGraphemeClusters) {
  // e + combining acute; a flag of two regional indicators; CR LF is one.
  EXPECT_EQ(cut(TextLevel::kCharacter, "ae\u0301 \U0001F1E8\U0001F1E6\r\n\u5317"),
            (Tokens{"a", "e\u0301", " ", "\U0001F1E8\U0001F1E6", "\r\n", "\u5317"}));
}

TEST(WhiteSpace, CutsAtUnicodeWhiteSpaceAndNowhereElse) {
  EXPECT_EQ(cut(TextLevel::kWhitespace, "  don't , stop\u3000\u5317\u4EAC!\n"),
            (Tokens{"don't", ",", "stop", "\u5317\u4EAC!"}));
  EXPECT_EQ(cut(TextLevel::kWhitespace, "one"), Tokens{"one"});
}

TEST(Segmenter, IsReusedWithoutMemoryOfTheTextBefore) {
  Segmenter segmenter(TextLevel::kWord);
  std::vector<std::string_view> tokens;
  segmenter.segment("a long text before", tokens);
  segmenter.segment("two words", tokens);
  EXPECT_EQ(Tokens(tokens.begin(), tokens.end()), (Tokens{"two", "words"}));
}

// Every byte of the text that is no white space stands in exactly one token, in order.
TEST(Words, NothingButWhiteSpaceIsLost) {
  const std::string text = "\u5317\u4EAC caf\u00E9's \U0001F600!! 1,000.5\u200Dx \u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35";
  std::string joined, expected;
  for (const std::string& token : cut(TextLevel::kWord, text)) joined += token;
  for (const char c : text) {
    if (c != ' ') expected += c;
  }
  EXPECT_EQ(joined, expected);
}

TEST(TextLevel, NamesGoBothWays) {
  for (const auto which :
       {TextLevel::kAuto, TextLevel::kWord, TextLevel::kCharacter, TextLevel::kSubword, TextLevel::kWhitespace}) {
    EXPECT_EQ(parse_level(level_name(which)), which);
  }
  expect_error(Code::kUsage, {"level 'words' is unknown, expected word, char, subword or whitespace"},
               [] { parse_level("words"); });
}

TEST(TextLevel, AutomaticChoiceIsWordsUnlessTextsHaveNone) {
  const std::vector<std::string> texts = {"an ordinary text, with words", std::string(200, 'A'),
                                          "ACGTTGCAACGTTGCAACGT"};
  using Rows = std::vector<std::int64_t>;
  EXPECT_EQ(choose_level(texts, Rows{0}), TextLevel::kWord);
  EXPECT_EQ(choose_level(texts, Rows{1, 2}), TextLevel::kCharacter);
  EXPECT_EQ(choose_level(texts, Rows{}), TextLevel::kWord);
}

TEST(Normalize, NfkcMakesFullWidthLettersPlain) {
  EXPECT_EQ(normalize_text("\uFF21\uFF22\uFF43\uFF11\uFF0C\u3000\uFB01", {true, false}), "ABc1, fi");
  EXPECT_EQ(normalize_text("\uFF21\uFF22", {true, true}), "ab");
  EXPECT_EQ(normalize_text("e\u0301", {true, false}), "\u00E9");
  EXPECT_EQ(normalize_text("\uFF21e\u0301", {false, false}), "\uFF21e\u0301");
}

TEST(Normalize, LowerCaseFollowsUnicodeAndNoLanguage) {
  EXPECT_EQ(normalize_text("ABC xYz 1"), "abc xyz 1");
  EXPECT_EQ(normalize_text("\u00C9I\u00D1"), "\u00E9i\u00F1");
  EXPECT_EQ(normalize_text("\u039F\u03A3"), "\u03BF\u03C2");  // a final sigma
  EXPECT_EQ(normalize_text("ABC", {true, false}), "ABC");
}

TEST(Normalize, TwiceIsOnceForEveryCharacter) {
  for (std::uint32_t c = 1; c < 0x30000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    if (c < 0x80) {
      text = {static_cast<char>(c)};
    } else if (c < 0x800) {
      text = {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
    } else if (c < 0x10000) {
      text = {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
              static_cast<char>(0x80 | (c & 0x3F))};
    } else {
      text = {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 0x3F)),
              static_cast<char>(0x80 | ((c >> 6) & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    }
    const std::string once = normalize_text("a" + text + "\u0301");
    ASSERT_EQ(normalize_text(once), once) << std::hex << c;
  }
}

}  // namespace
}  // namespace carousel
