// Oracle: values written out by hand.
#include <gtest/gtest.h>

#include "data/nearest.h"
#include "data/number.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

TEST(Number, DecimalNumbersAreReadWithBlanksAround) {
  EXPECT_EQ(parse_number("  12.5\t", "f", 1, "c"), 12.5);
  EXPECT_EQ(parse_number("-1e-3", "f", 1, "c"), -0.001);
  EXPECT_EQ(parse_number("+7", "f", 1, "c"), 7.0);
  EXPECT_EQ(parse_number(".5", "f", 1, "c"), 0.5);
}

TEST(Number, AnythingElseIsRefusedWithFileLineAndColumn) {
  expect_error(Code::kData, {"file:17: column 'OT': expected a number, got 'abc'"},
               [] { parse_number("abc", "file", 17, "OT"); });
  expect_error(Code::kData, {"file:17: column 'OT'", "missing value ('NA')"},
               [] { parse_number("NA", "file", 17, "OT"); });
  for (const char* cell : {"1.5x", "1,5", "1 2", "inf", "-inf", "1e999", "0x10", "+-1", "--1", "1e", "+", "-", "."}) {
    EXPECT_FALSE(to_number(cell).has_value()) << cell;
  }
}

TEST(Number, MissingValuesAreRecognised) {
  for (const char* cell : {"", "  ", "NA", "NaN", "nan", "null", "?", " NA "}) EXPECT_TRUE(is_missing(cell)) << cell;
  for (const char* cell : {"0", "N", "none", "NAN1", "-", "nanana"}) EXPECT_FALSE(is_missing(cell)) << cell;
}

TEST(NearestWord, IsTheOneWithTheFewestEditsOrNone) {
  const std::vector<std::string> known = {"label", "text", "temperature"};
  EXPECT_EQ(nearest_word("txt", known), "text");
  EXPECT_EQ(nearest_word("LABLE", known), "label");  // two neighbours swapped
  EXPECT_EQ(nearest_word("able", known), "");        // two edits, of five letters
  EXPECT_EQ(nearest_word("temprature", known), "temperature");
  EXPECT_EQ(nearest_word("quantity", known), "");
  EXPECT_EQ(nearest_word("", known), "");
}

TEST(Shortened, CutsBetweenCharactersAndHidesControls) {
  EXPECT_EQ(shortened("a\nb"), "a b");
  std::string text(59, 'x');
  EXPECT_EQ(shortened(text + "\xC3\xA9"), text + "...");  // the two bytes of one character stay together
  EXPECT_EQ(shortened(text + "y"), text + "y");
}

TEST(Listed, StopsAfterTwentyAndSaysHowManyMore) {
  EXPECT_EQ(listed(std::vector<std::string>{"a", "b"}), "a, b");
  const std::string text = listed(std::vector<std::string>(23, "w"));
  EXPECT_TRUE(text.ends_with("w and 3 more")) << text;
}

}  // namespace
}  // namespace carousel
