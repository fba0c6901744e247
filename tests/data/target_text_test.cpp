// Oracle: the text itself, which must come back; tokens written by hand.
#include "data/text/target_text.h"

#include <gtest/gtest.h>

#include "carousel/error.h"

namespace carousel {
namespace {

using Texts = std::vector<std::string>;

Texts cut(TextLevel level, std::string_view text) {
  Segmenter segmenter(level);
  return cut_target(segmenter, level, text);
}

TEST(TargetText, ComesBackAsItWas) {
  const Texts texts{"Yes, don't! (\"No\" -- 3,5 %)",
                    "A. B.C",
                    "\xE6\x88\x91\xE7\x88\xB1\xE5\x8C\x97\xE4\xBA\xAC",
                    "caf\xC3\xA9-bar",
                    "",
                    "a"};
  for (const std::string& text : texts) {
    for (const TextLevel level : {TextLevel::kWord, TextLevel::kCharacter, TextLevel::kWhitespace}) {
      EXPECT_EQ(join_target(level, cut(level, text)), text) << level_name(level);
    }
  }
}

TEST(TargetText, MarksWhatIsJoined) {
  EXPECT_EQ(cut(TextLevel::kWord, "Yes, you!"), (Texts{"Yes", "\xEF\xBF\xAD,", "you", "\xEF\xBF\xAD!"}));
  EXPECT_EQ(cut(TextLevel::kWhitespace, "Yes, you!"), (Texts{"Yes,", "you!"}));
  EXPECT_EQ(cut(TextLevel::kCharacter, "a b"), (Texts{"a", " ", "b"}));
}

TEST(TargetText, RunsOfWhiteSpaceBecomeOneSpace) {
  EXPECT_EQ(join_target(TextLevel::kWord, cut(TextLevel::kWord, "a \t b")), "a b");
}

TEST(TargetText, EncodesWithTheEnd) {
  TokenCounter counter;
  for (const char* token : {"a", "a", "b"}) counter.add(token);
  TargetText text({.level = TextLevel::kWhitespace}, counter.build({}));
  EXPECT_EQ(text.encode("b a c"), (std::vector<std::int32_t>{5, 4, Vocabulary::kUnknown, Vocabulary::kEnd}));
}

// What no piece was learnt for comes back too, blanks and all.
TEST(TargetText, SubwordsComeBackToTheByte) {
  std::vector<std::string> corpus;
  for (int n = 0; n < 20; ++n) corpus.insert(corpus.end(), {"lower and lowest", "newer and newest"});
  TextSettings settings{.level = TextLevel::kSubword};
  settings.subwords = train_subwords(corpus, "bpe", 300);
  const Vocabulary vocabulary = Vocabulary::from_tokens(Subwords(settings.subwords).tokens());
  TargetText text(settings, vocabulary);
  for (const char* one : {"lowest and newer", "", "Yes,  don't!", "\xE6\x88\x91 \xF0\x9F\x99\x82"}) {
    EXPECT_EQ(text.join(text.cut(one)), one);
    std::vector<std::int32_t> ids;
    for (const std::string& token : text.cut(one)) ids.push_back(vocabulary.id(token));
    ids.push_back(Vocabulary::kEnd);
    EXPECT_EQ(text.encode(one), ids) << one;
  }
  EXPECT_LT(text.cut("lower lower").size(), 7U);  // words, not letters
  EXPECT_THROW(TargetText(settings, Vocabulary()), Error);
}

}  // namespace
}  // namespace carousel
