// Oracle: table 3-7 of the Unicode standard (well-formed byte sequences), written here as an encoder and as ranges.
#include <gtest/gtest.h>

#include <string>

#include "data/text/utf8.h"

namespace carousel {
namespace {

std::string encoded(std::uint32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | (c >> 6)), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

TEST(Utf8, EveryCharacterReadsBackAndSurrogatesDoNot) {
  for (std::uint32_t c = 0; c < 0x110000 + 1000; ++c) {
    const std::string bytes = encoded(c) + "z";
    std::size_t at = 0;
    const bool valid = c < 0x110000 && (c < 0xD800 || c >= 0xE000);
    ASSERT_EQ(next_character(bytes, at), valid ? static_cast<std::int32_t>(c) : -1) << c;
    ASSERT_EQ(at, valid ? bytes.size() - 1 : 1) << c;
  }
}

// The lead byte and the second byte decide; the others need only be 80 .. BF.
TEST(Utf8, AllPairsOfLeadAndSecondByteAreJudgedByTheTable) {
  for (int lead = 0x80; lead < 0x100; ++lead) {
    for (int second = 0; second < 0x100; ++second) {
      int low = 0x80, high = 0xBF, length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
      const bool valid = lead >= 0xC2 && lead <= 0xF4 && second >= low && second <= high;
      std::string text = {static_cast<char>(lead), static_cast<char>(second)};
      text.append(static_cast<std::size_t>(length - 2), '\x80');
      ASSERT_EQ(!find_invalid_utf8(text).has_value(), valid) << lead << " " << second;
    }
  }
}

TEST(Utf8, TheOffsetIsThatOfTheFirstBadByte) {
  EXPECT_EQ(find_invalid_utf8(""), std::nullopt);
  EXPECT_EQ(find_invalid_utf8("abc"), std::nullopt);
  EXPECT_EQ(find_invalid_utf8("caf\xE9 au lait"), 3);
  EXPECT_EQ(find_invalid_utf8("\xC3\xA9\xE4\xBD"), 2);  // cut off in the middle
  EXPECT_EQ(find_invalid_utf8("0123456789\xFF"), 10);
  EXPECT_EQ(find_invalid_utf8("\xED\xA0\x80"), 0);
}

// By hand: every part of a character of each length, and what can become none.
TEST(Utf8, AnUnfinishedCharacterIsCountedFromItsLead) {
  for (const std::string_view character : {"x", "\u00E9", "\u7535", "\U0001F600"}) {
    for (std::size_t count = 0; count <= character.size(); ++count) {
      const std::string text = "ab\xC3\xA9" + std::string(character.substr(0, count));
      EXPECT_EQ(unfinished_utf8(text), count == character.size() ? 0 : static_cast<std::int64_t>(count)) << text;
    }
  }
  for (const std::string_view text : {"", "\xA9", "\xC0", "\xFF", "\xF5\x80", "\xE7\x94\xB5\xB5"}) {
    EXPECT_EQ(unfinished_utf8(text), 0) << text;
  }
}

TEST(Utf8, TheAsciiPrefixEndsAtTheFirstHighByteWhereverItStands) {
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t at = 0; at <= length; ++at) {
      std::string text(length, 'a');
      if (at < length) text[at] = '\x80';
      ASSERT_EQ(ascii_prefix(text), static_cast<std::int64_t>(at));
    }
  }
}

}  // namespace
}  // namespace carousel
