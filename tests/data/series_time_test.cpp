// Oracle: dates counted by hand (1970-01-01 is day 0, 2000-02-29 exists, 1900-02-29 does not) and known calendars.
#include <gtest/gtest.h>

#include "data/series/time_axis.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

constexpr std::int64_t kDay = 86400, kHour = 3600;

void expect_span(const char* text, std::int64_t begin, std::int64_t end) {
  const auto span = parse_time(text);
  ASSERT_TRUE(span.has_value()) << text;
  EXPECT_EQ(span->begin, begin) << text;
  EXPECT_EQ(span->end, end) << text;
}

TEST(TimeText, ATextIsTheStretchOfTimeThatItNames) {
  expect_span("1970-01-01", 0, kDay);
  expect_span("1970", 0, 365 * kDay);
  expect_span("1969-12", -31 * kDay, 0);
  expect_span("2000-02-29", 11016 * kDay, 11017 * kDay);
  expect_span("2000/2", 10988 * kDay, 11017 * kDay);
  expect_span("2000-02", 10988 * kDay, 11017 * kDay);
  expect_span("20000229", 11016 * kDay, 11017 * kDay);
  expect_span("200002", 10988 * kDay, 11017 * kDay);
  for (const char* text : {"1970-Q2", "1970Q2", "1970 q2", "1970/Q2"}) expect_span(text, 90 * kDay, 181 * kDay);
  for (const char* text : {"Feb 1970", "February 1970", "1970-Feb", "1970 FEB", "feb-1970", "1970/february"}) {
    expect_span(text, 31 * kDay, 59 * kDay);
  }
  expect_span("May 1970", 120 * kDay, 151 * kDay);
  expect_span("3-Feb-1970", 33 * kDay, 34 * kDay);
  expect_span("1970-01-02 03:04", kDay + 3 * kHour + 240, kDay + 3 * kHour + 300);
  expect_span("1970-01-02T03:04:05Z", kDay + 3 * kHour + 245, kDay + 3 * kHour + 246);
  expect_span("2016-07-01 00:00:00.000", 16983 * kDay, 16983 * kDay + 1);
}

TEST(TimeText, ZonesAreTakenAway) {
  for (const char* text : {"1970-01-02T08:00+08:00", "1970-01-02 08:00 +0800", "1970-01-01 19:00:00-05",
                           "1970-01-02 00:00Z", "1970-01-02 00:00 UTC", "1970-01-02 05:45+05:45"}) {
    ASSERT_TRUE(parse_time(text).has_value()) << text;
    EXPECT_EQ(parse_time(text)->begin, kDay) << text;
  }
}

TEST(TimeText, OtherTextsHaveNoMeaning) {
  for (const char* text : {"",
                           "x",
                           "12",
                           "1900-02-29",
                           "2000-13",
                           "2000-00",
                           "2000-04-31",
                           "2000-01-01 24:00",
                           "2000-01-01x",
                           "2000-",
                           "01.02.2000",
                           "1749.042",
                           "20161301",
                           "2011-Q5",
                           "2011 4",
                           "2000-01-01 1",
                           "2000-01-01 10:00:00.5",
                           "Feb",
                           "Febr 1970",
                           "Mayor 1970",
                           "Feb 70",
                           "1970-Feb-03",
                           "30-Feb-1970",
                           "0-Feb-1970",
                           "3 Feb",
                           "1970 Feb x",
                           "2000-01-01 10:00+1",
                           "2000-01-01 10:00+99:00"}) {
    EXPECT_FALSE(parse_time(text).has_value()) << text;
  }
}

TEST(TimeText, DaysAndDatesAreInverse) {
  for (std::int64_t days : {-719468L, -141428L, -1L, 0L, 59L, 11016L, 11017L, 20000L, 2932896L}) {
    EXPECT_EQ(days_from_date(date_from_days(days)), days);
  }
  EXPECT_EQ(date_from_days(11016).day, 29);
  EXPECT_EQ(date_from_days(-1).year, 1969);
  EXPECT_EQ(weekday(0), 3);  // a Thursday
  EXPECT_EQ(weekday(-4), 6);
  EXPECT_EQ(days_of(-1), -1);
}

TEST(TimeAxis, TheStepAndTheSeasonsFollowFromTheTimes) {
  struct Case {
    std::vector<std::string> times;
    std::string name;
    std::vector<std::int64_t> seasons;
  };
  const std::vector<Case> cases = {
      {{"1981", "1982", "1983", "1984"}, "year", {}},
      {{"1981-01-01", "1982-01-01"}, "year", {}},
      {{"1981-01", "1981-04", "1981-07", "1981-10"}, "quarter", {4}},
      {{"1981Q4", "1982Q1", "1982Q2"}, "quarter", {4}},
      {{"1-11", "1-12", "2-01", "2-02"}, "month", {12}},
      {{"2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"}, "month", {12}},
      {{"2020-01-15", "2020-02-15", "2020-03-15"}, "month", {12}},
      {{"2020-01-06", "2020-01-13", "2020-01-20"}, "week", {52}},
      {{"2020-02-28", "2020-02-29", "2020-03-01"}, "day", {7, 365}},
      {{"2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"}, "business day", {5}},
      {{"2020-01-01 23:00", "2020-01-02 00:00", "2020-01-02 01:00"}, "hour", {24, 168}},
      {{"2020-01-01 00:00", "2020-01-01 00:30", "2020-01-01 01:00"}, "30 minutes", {48, 336}},
      {{"1500000000", "1500003600", "1500007200"}, "hour", {24, 168}},
      {{"1", "2", "3"}, "step", {}},
      {{"0", "10", "20"}, "10 steps", {}},
      {{"a", "b", "c"}, "", {}},
  };
  for (const Case& one : cases) {
    const TimeAxis axis(one.times);
    EXPECT_EQ(axis.step_name(), one.name) << one.times[0];
    EXPECT_EQ(axis.natural_seasons(), one.seasons) << one.times[0];
  }
}

// The text of every row is the one that was read, and the rows behind the last are those of a calendar.
TEST(TimeAxis, FurtherTimesAreWrittenLikeThoseRead) {
  struct Case {
    std::vector<std::string> times, next;
  };
  const std::vector<Case> cases = {
      {{"2019-11", "2019-12"}, {"2020-01", "2020-02"}},
      {{"2019-12-30", "2019-12-31"}, {"2020-01-01", "2020-01-02"}},
      {{"2020-02-27 23:00:00", "2020-02-28 23:00:00"}, {"2020-02-29 23:00:00", "2020-03-01 23:00:00"}},
      {{"2020-11-30", "2020-12-31"}, {"2021-01-31", "2021-02-28", "2021-03-31"}},
      {{"2020-12-30", "2021-01-30"}, {"2021-02-28", "2021-03-30"}},
      {{"2011-Q3", "2011-Q4"}, {"2012-Q1"}},
      {{"2011Q3", "2011Q4"}, {"2012Q1"}},
      {{"1998", "1999"}, {"2000", "2001"}},
      {{"2020/9/8", "2020/9/9"}, {"2020/9/10", "2020/9/11"}},
      {{"2020/9/29", "2020/9/30"}, {"2020/10/1", "2020/10/2"}},
      {{"3-11", "3-12"}, {"4-01"}},
      {{"20191230", "20191231"}, {"20200101"}},
      {{"2020-01-01T22:30Z", "2020-01-01T23:00Z"}, {"2020-01-01T23:30Z", "2020-01-02T00:00Z"}},
      {{"2020-01-01 23:00:00+08:00", "2020-01-02 00:00:00+08:00"}, {"2020-01-02 01:00:00+08:00"}},
      {{"7", "9"}, {"11", "13"}},
      {{"2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"},
       {"2020-01-10", "2020-01-13"}},
      {{"Nov 1991", "Dec 1991"}, {"Jan 1992", "Feb 1992"}},
      {{"1991-Apr", "1991-May"}, {"1991-Jun", "1991-Jul"}},
      {{"April 1991", "May 1991"}, {"June 1991", "July 1991"}},
      {{"1991 AUG", "1991 SEP"}, {"1991 OCT"}},
      {{"30-jan-2020", "31-jan-2020"}, {"01-feb-2020"}},
      {{"8 Sep 2020", "9 Sep 2020"}, {"10 Sep 2020"}},
      {{"a", "b"}, {"", ""}},
  };
  for (const Case& one : cases) {
    const TimeAxis axis(one.times);
    const std::int64_t rows = axis.size();
    for (std::int64_t t = 0; t < rows; ++t) EXPECT_EQ(axis.text(t), one.times[static_cast<std::size_t>(t)]);
    for (std::size_t k = 0; k < one.next.size(); ++k) {
      EXPECT_EQ(axis.text(rows + static_cast<std::int64_t>(k)), one.next[k]) << one.times[0];
    }
  }
}

TEST(TimeAxis, ARegularAxisCountsFromItsFirstPlace) {
  TimeReader reader;
  std::string problem;
  reader.read("2019-11", problem);
  const TimeAxis axis = TimeAxis::regular({TimeStep::Unit::kMonth, 3, 1, 0}, reader.writing(), 2019 * 12 + 10, 4);
  EXPECT_EQ(axis.text(0), "2019-11");
  EXPECT_EQ(axis.text(3), "2020-08");
  EXPECT_EQ(axis.begin(1), parse_time("2020-02")->begin);
}

TEST(TimeReader, AnotherFormOrZoneThanTheFirstIsAProblem) {
  const auto problem_of = [](const char* first, const char* second) {
    TimeReader reader;
    std::string problem;
    EXPECT_TRUE(reader.read(first, problem).has_value());
    EXPECT_FALSE(reader.read(second, problem).has_value());
    return problem;
  };
  EXPECT_EQ(problem_of("2020-01", "x"), "the time 'x' is not a year and a month such as the first one");
  EXPECT_EQ(problem_of("1", "1.5"), "the time '1.5' is no whole number, as the first one is");
  EXPECT_EQ(problem_of("2020-01-01 10:00Z", "2020-01-01 11:00"),
            "the time '2020-01-01 11:00' has no zone, but the first one has one");
  EXPECT_EQ(problem_of("2020-01-01 10:00:00", "2020-01-01 10:00:00.1"),
            "the time '2020-01-01 10:00:00.1' is not a date and a time such as the first one (in whole seconds)");
  expect_error(Code::kData, {"'x'"}, [] { TimeAxis({"2020-01", "x"}); });
}

}  // namespace
}  // namespace carousel
