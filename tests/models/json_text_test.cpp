// Oracle: the limits in json_text.h, tried from both sides; the heap's own count of the memory that parsing took.
#include "models/json_text.h"

#include <gtest/gtest.h>

#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

constexpr std::int64_t kPlenty = 1 << 20;

std::string repeated(const std::string& part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += part;
  return text;
}

TEST(JsonText, ParsesWhatIsWithinTheLimits) {
  const auto value = parse_json_text(R"({"a": [1, -2.5, "x", null, true], "b": {"c": 3}})", kPlenty, "here");
  EXPECT_EQ(value["a"][1], -2.5);
  EXPECT_EQ(value["b"]["c"], 3);
  EXPECT_NO_THROW(parse_json_text(repeated("[", 32) + repeated("]", 32), kPlenty, "here"));
}

TEST(JsonText, RefusesDeepNesting) {
  expect_error(Code::kModel, {"here", "32 levels"},
               [] { parse_json_text(repeated("[", 33) + repeated("]", 33), kPlenty, "here"); });
  expect_error(Code::kModel, {"here"}, [] { parse_json_text(repeated("{\"a\":", 100'000), 1 << 30, "here"); });
}

TEST(JsonText, RefusesWhatIsNoJsonAndSaysWhere) {
  expect_error(Code::kModel, {"here", "character 6"}, [] { parse_json_text(R"({"a":})", kPlenty, "here"); });
  for (const std::string text : {"", "{", "[1,]", "nul", "\"\xff\"", "1 2", "1e999", "\"\\ud800\""}) {
    expect_error(Code::kModel, {"here"}, [&] { parse_json_text(text, kPlenty, "here"); });
  }
}

TEST(JsonText, MemoryStaysBelowTheLimitForTextsMadeToBeExpensive) {
  for (const std::string part :
       {"0,", "[],", "{},", "\"\",", "{\"\":0},", "[[]],", "\"a text of some length here\","}) {
    std::string text = "[";
    text += repeated(part, 50'000) + "0]";
    std::int64_t limit = 1 << 18;  // double it until it is accepted: then the true cost must not exceed it
    std::int64_t peak = 0;
    for (bool done = false; !done; limit *= 2) {
      const AllocationCounter counter;
      try {
        parse_json_text(text, limit, "here");
        done = true;
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), Code::kModel);
      }
      peak = counter.peak();
      EXPECT_LE(peak, limit + 65'536) << part;
    }
    EXPECT_GT(peak, static_cast<std::int64_t>(text.size())) << part;
  }
}

TEST(JsonText, NamesAreMadePrintable) {
  EXPECT_EQ(printable("weight_ih_l0"), "weight_ih_l0");
  EXPECT_EQ(printable("a\nb\xc3\xa9"), "a?b??");
  EXPECT_EQ(printable(std::string(100, 'x')), std::string(80, 'x') + "...");
}

}  // namespace
}  // namespace carousel
