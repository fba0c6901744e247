// Oracle: dates counted by hand (1970-01-01 is day 0, 2000-02-29 exists, 1900-02-29 does not) and known calendars.
#include <gtest/gtest.h>

#include "data/series/time_axis.h"

namespace carousel {
namespace {

constexpr std::int64_t kDay = 86400;

void expect_span(const char* text, std::int64_t begin, std::int64_t end) {
  const auto span = parse_time(text);
  ASSERT_TRUE(span.has_value()) << text;
  EXPECT_EQ(span->begin, begin) << text;
  EXPECT_EQ(span->end, end) << text;
}

TEST(TimeAxis, ATextIsTheStretchOfTimeThatItNames) {
  expect_span("1970-01-01", 0, kDay);
  expect_span("1970", 0, 365 * kDay);
  expect_span("1969-12", -31 * kDay, 0);
  expect_span("2000-02-29", 11016 * kDay, 11017 * kDay);
  expect_span("2000/2", 10988 * kDay, 11017 * kDay);
  expect_span("2000-02", 10988 * kDay, 11017 * kDay);
  expect_span("1970-01-02 03:04", kDay + 3 * 3600 + 240, kDay + 3 * 3600 + 300);
  expect_span("1970-01-02T03:04:05Z", kDay + 3 * 3600 + 245, kDay + 3 * 3600 + 246);
  expect_span("2016-07-01 00:00:00", 16983 * kDay, 16983 * kDay + 1);
}

TEST(TimeAxis, OtherTextsHaveNoMeaning) {
  for (const char* text : {"", "x", "12", "1900-02-29", "2000-13", "2000-00", "2000-04-31", "2000-01-01 24:00",
                           "2000-01-01x", "2000-", "01.02.2000", "1749.042", "20160701"}) {
    EXPECT_FALSE(parse_time(text).has_value()) << text;
  }
}

TEST(TimeAxis, TheStepAndTheSeasonsFollowFromTheTimes) {
  struct Case {
    std::vector<std::string> times;
    std::string name;
    std::vector<std::int64_t> seasons;
  };
  const std::vector<Case> cases = {
      {{"1981", "1982", "1983", "1984"}, "year", {}},
      {{"1981-01", "1981-04", "1981-07", "1981-10"}, "quarter", {4}},
      {{"1-11", "1-12", "2-01", "2-02"}, "month", {12}},
      {{"2020-01-06", "2020-01-13", "2020-01-20"}, "week", {52}},
      {{"2020-02-28", "2020-02-29", "2020-03-01"}, "day", {7, 365}},
      {{"2020-01-01 23:00", "2020-01-02 00:00", "2020-01-02 01:00"}, "hour", {24, 168}},
      {{"2020-01-01 00:00", "2020-01-01 00:30", "2020-01-01 01:00"}, "30 minutes", {48, 336}},
      {{"a", "b", "c"}, "", {}},
      {{"2020-01-01", "2020-01-02"}, "", {}},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(time_step_name(one.times), one.name) << one.times[0];
    EXPECT_EQ(natural_seasons(one.times), one.seasons) << one.times[0];
  }
}

}  // namespace
}  // namespace carousel
