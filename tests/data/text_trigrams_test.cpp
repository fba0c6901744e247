// Oracle: pieces and widths counted by hand; the check value of CRC-32 ("123456789" gives cbf43926).
#include <gtest/gtest.h>

#include "data/text/display_width.h"
#include "data/text/trigrams.h"

namespace carousel {
namespace {

using Texts = std::vector<std::string>;

TEST(Trigrams, AreThePiecesOfThreeCharactersWithMarksAtTheEnds) {
  EXPECT_EQ(letter_trigrams("good"), (Texts{"#go", "goo", "ood", "od#"}));
  EXPECT_EQ(letter_trigrams("a"), Texts{"#a#"});
  EXPECT_EQ(letter_trigrams("ab"), (Texts{"#ab", "ab#"}));
  EXPECT_EQ(letter_trigrams("\u5317\u4EAC"), (Texts{"#\u5317\u4EAC", "\u5317\u4EAC#"}));
  EXPECT_EQ(letter_trigrams(""), Texts{});
}

TEST(Trigrams, FallIntoTheBucketOfTheirChecksum) {
  EXPECT_EQ(trigram_bucket("123456789", 1000), 0xCBF43926LL % 1000);
  EXPECT_EQ(trigram_bucket("123456789", 1), 0);
  EXPECT_EQ(trigram_bucket("123456789", 1LL << 31), 0xCBF43926LL % (1LL << 31));
}

TEST(DisplayWidth, CountsColumnsOfATerminal) {
  const std::pair<std::string_view, std::size_t> cases[] = {
      {"", 0},
      {"abc", 3},
      {"caf\u00E9", 4},
      {"cafe\u0301", 4},                                  // a combining accent
      {"\u5317\u4EAC", 4},                                // wide
      {"\uFF21\uFF22", 4},                                // full-width letters
      {"\U0001F600!", 3},                                 // emoji
      {"\U0001F468\u200D\U0001F469\u200D\U0001F467", 2},  // a family, joined
      {"\U0001F44D\U0001F3FD", 2},                        // a thumb with a skin tone
      {"\U0001F1E8\U0001F1E6", 2},                        // a flag of two halves
      {"\u05E9\u05DC\u05D5\u05DD", 4},
      {"\u2764\uFE0F", 1}};
  for (const auto& [text, width] : cases) EXPECT_EQ(display_width(text), width) << text;
}

}  // namespace
}  // namespace carousel
