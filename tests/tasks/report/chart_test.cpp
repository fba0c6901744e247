// Oracle: coordinates worked out from the scale of a small chart, and the calendar.
#include "tasks/report/chart.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tasks/report/chart_style.h"
#include "tasks/report/chart_ticks.h"

namespace carousel {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

std::string tick_texts(const std::vector<Tick>& ticks) {
  std::string text;
  for (const Tick& tick : ticks) text += fmt::format("{:g} {}, ", tick.at, tick.text);
  return text;
}

// x: 0 .. 2 on 74 .. 886; y: 0 .. 105 on 294 up to 32, so 100 is at 294 - 262 * 100 / 105 and 50 at 169.2.
TEST(ChartBand, GoesAlongItsUpperLineAndBackAlongTheLowerOne) {
  LineChart chart;
  chart.bands = {{"80 %", {0, 1, 2}, {0, 0, 0}, {100, 100, 50}}};
  const std::string svg = chart_svg(chart);
  EXPECT_EQ(count_of(svg,
                     "<polygon class=\"band\" points=\"74.0,44.5 480.0,44.5 886.0,169.2 886.0,294.0 480.0,294.0 "
                     "74.0,294.0\"/>"),
            1U)
      << svg;
  EXPECT_EQ(count_of(svg, ">80 %</text>"), 1U);
  chart.bands[0].low[1] = NAN;  // a gap in one line is one in the band
  EXPECT_EQ(count_of(chart_svg(chart), "<polygon"), 2U);
}

// Without a legend the picture begins at 14. y: -55 .. 55 on 294 up to 14, so 0 is in the middle, at 154.
TEST(ChartBar, StandsOnZeroAndHangsBelowIt) {
  LineChart chart;
  chart.bars = {{0, 1, 50}, {1, 2, -50}, {2, 3, NAN}};
  const std::string svg = chart_svg(chart);
  EXPECT_EQ(count_of(svg, "class=\"bar\""), 2U);
  EXPECT_EQ(count_of(svg, "x=\"74.0\" y=\"26.7\" width=\"406.0\" height=\"127.3\""), 1U) << svg;
  EXPECT_EQ(count_of(svg, "x=\"480.0\" y=\"154.0\" width=\"406.0\" height=\"127.3\""), 1U) << svg;
}

TEST(ChartTicks, StandWhereTheCalendarBeginsSomething) {
  std::vector<std::string> hours, days, months, years;
  for (int t = 0; t < 48; ++t) hours.push_back(fmt::format("2016-02-{:02} {:02}:00:00", 28 + t / 24, t % 24));
  EXPECT_EQ(tick_texts(time_ticks(hours, 0, 47, 8)),
            "0 2016-02-28, 6 06:00, 12 12:00, 18 18:00, 24 2016-02-29, 30 06:00, 36 12:00, 42 18:00, ");
  for (int t = 0; t < 31; ++t) days.push_back(fmt::format("1990-01-{:02}", t + 1));  // the 1st was a Monday
  EXPECT_EQ(tick_texts(time_ticks(days, 2, 30, 8)), "7 1990-01-08, 14 1990-01-15, 21 1990-01-22, 28 1990-01-29, ");
  for (int t = 0; t < 30; ++t) months.push_back(fmt::format("{}-{:02}", 1999 + t / 12, 1 + t % 12));
  EXPECT_EQ(tick_texts(time_ticks(months, 1, 29, 6)), "6 1999-07, 12 2000-01, 18 2000-07, 24 2001-01, ");
  EXPECT_EQ(tick_texts(time_ticks(months, 1, 29, 3)), "12 2000, 24 2001, ");
  for (int t = 0; t < 90; ++t) years.push_back(std::to_string(1755 + t));
  EXPECT_EQ(tick_texts(time_ticks(years, 0, 89, 8)), "5 1760, 25 1780, 45 1800, 65 1820, 85 1840, ");
  EXPECT_EQ(tick_texts(time_ticks(std::span(years).first(4), 0, 3, 8)), "0 1755, 1 1756, 2 1757, 3 1758, ");
  EXPECT_EQ(tick_texts(number_ticks(-1.06e7, -9.7e6, 4)),
            "-1.06e+07 -10.6 M, -1.04e+07 -10.4 M, -1.02e+07 -10.2 M, -1e+07 -10.0 M, -9.8e+06 -9.8 M, ");
  EXPECT_EQ(tick_texts(number_ticks(0, 3e12, 3)), "0 0, 1e+12 1e+12, 2e+12 2e+12, 3e+12 3e+12, ");
  EXPECT_EQ(tick_texts(number_ticks(0, 3e-7, 3)), "0 0, 1e-07 1e-07, 2e-07 2e-07, 3e-07 3e-07, ");
  // 10^-0.5 .. 10^1.2: powers of ten alone would be two marks.
  EXPECT_EQ(tick_texts(log_ticks(-0.5, 1.2, 6)), "-0.30103 0.5, 0 1, 0.30103 2, 0.69897 5, 1 10, ");
  EXPECT_TRUE(time_ticks(std::vector<std::string>{"a", "b"}, 0, 1, 8).empty());
  // A gap over New Year: the first row after it begins the year.
  const std::vector<std::string> gap{"1990-12-30", "1990-12-31", "1991-01-03", "1991-01-04"};
  EXPECT_EQ(tick_texts(time_ticks(gap, 0, 3, 8)).substr(0, 14), "0 1990-12-30, ");
}

TEST(ChartPanels, StandSideBySideUnderOneLegend) {
  LineChart chart;
  chart.lines = {{"load", {0, 1}, {1, 2}}};
  chart.title = "after 1990";
  chart.height = 200;
  const std::string svg = panels_svg({chart, chart, chart}, 2);
  EXPECT_EQ(count_of(svg, ">load</text>"), 1U);
  EXPECT_EQ(count_of(svg, ">after 1990</text>"), 3U);
  EXPECT_EQ(count_of(svg, "translate(0.0 32.0)"), 1U) << svg;
  EXPECT_EQ(count_of(svg, "translate(450.0 32.0)"), 1U);
  EXPECT_EQ(count_of(svg, "translate(0.0 240.0)"), 1U);
  EXPECT_EQ(count_of(svg, "viewBox=\"0 0 900 448\""), 1U);
  LineChart other = chart;
  other.lines[0].name = "price";
  const std::string two = panels_svg({chart, other}, 2);  // each its own legend
  EXPECT_EQ(count_of(two, ">load</text>") + count_of(two, ">price</text>"), 2U);
  EXPECT_EQ(count_of(two, "translate(450.0 0.0)"), 1U);
}

TEST(ChartText, IsCutBetweenCharactersOfUtf8) {
  EXPECT_EQ(cut_text("abc", 3), "abc");
  EXPECT_EQ(cut_text("abcd", 3), "abc\xE2\x80\xA6");
  EXPECT_EQ(cut_text("\xC3\xA4\xC3\xB6\xC3\xBC", 2), "\xC3\xA4\xC3\xB6\xE2\x80\xA6");
}

// A converter knows neither variables nor the style sheet of a page.
TEST(ChartFile, HasItsSizeItsRulesAndItsColoursInside) {
  LineChart chart;
  chart.lines = {{"x", {0, 1}, {1, 2}}};
  chart.shaded_to = 1;
  const std::string file = svg_file(chart_svg(chart));
  EXPECT_EQ(file.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"340\" viewBox=", 0), 0U);
  EXPECT_EQ(count_of(file, "var("), 0U) << file;
  EXPECT_EQ(count_of(file, ".line-1 { stroke: #d0470b;"), 1U);
  EXPECT_EQ(count_of(file, "</svg>"), 1U);
}

}  // namespace
}  // namespace carousel
