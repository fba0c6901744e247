// Oracle: sentences written down by hand; together they are the text.
#include <gtest/gtest.h>

#include <string>

#include "data/text/sentences.h"

namespace carousel {
namespace {

using Sentences = std::vector<std::string_view>;

Sentences split(std::string_view text) {
  SentenceSplitter splitter;
  Sentences sentences;
  splitter.split(text, sentences);
  return sentences;
}

TEST(SentenceSplitter, EndsAtFullStopsInAnyScriptAndAtLineEnds) {
  EXPECT_EQ((Sentences{"It rains. ", "Does it? ", "Yes!"}), split("It rains. Does it? Yes!"));
  EXPECT_EQ((Sentences{"first line\n", "second line"}), split("first line\nsecond line"));
  EXPECT_EQ((Sentences{"it costs 3.50 e.g. today. ", "No."}), split("it costs 3.50 e.g. today. No."));
  // "Tian qi hao. Hen leng!" in Chinese, with ideographic marks.
  const std::string fine = "\xe5\xa4\xa9\xe6\xb0\x94\xe5\xa5\xbd\xe3\x80\x82",
                    cold = "\xe5\xbe\x88\xe5\x86\xb7\xef\xbc\x81";
  EXPECT_EQ((Sentences{fine, cold}), split(fine + cold));
}

TEST(SentenceSplitter, TogetherTheyAreTheText) {
  EXPECT_EQ(Sentences{}, split(""));
  const std::string text = " a. b  \n\n\xf0\x9f\x98\x80 C? ...";
  std::string whole;
  for (const std::string_view sentence : split(text)) whole += sentence;
  EXPECT_EQ(text, whole);
  EXPECT_EQ(Sentences{"no end"}, split("no end"));
}

}  // namespace
}  // namespace carousel
