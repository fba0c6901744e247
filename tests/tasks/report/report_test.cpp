// Oracle: what a reader must find in the markup, and coordinates worked out from the scale of a small chart.
#include "tasks/report/report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tasks/forecast/forecast_pictures.h"
#include "tasks/report/chart.h"

namespace carousel {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

Report small_report() {
  Report report;
  report.title = "A <b> & \"c\"";
  report.facts = {{"cell", "<script>alert(1)</script>"}};
  report.part = "validation part, 3 rows";
  report.model = "lstm";
  report.metrics = {{"mae", 8}, {"rmse", 9.5}};
  report.baselines = {{"last_value", {{"mae", 10}, {"rmse", 9}}}, {"seasonal", {{"mae", 4}}}, {"other", {{"rmse", 1}}}};
  return report;
}

TEST(Report, EveryTextIsEscaped) {
  Report report = small_report();
  report.figures = {
      {"<h>", "<i>", confusion_table(std::vector<std::string>{"<u>", "v"}, std::vector<std::int64_t>{1, 2, 3, 4})}};
  const std::string page = report_page(report);
  for (const char* raw : {"<script", "<b>", "<h>", "<i>", "<u>"}) EXPECT_FALSE(contains(page, raw)) << raw;
  EXPECT_TRUE(contains(page, "<title>A &lt;b&gt; &amp; &quot;c&quot;</title>"));
  EXPECT_EQ(html_escaped("a'b\x01\n"), "a&#39;b \n");
}

TEST(Report, NothingIsLoadedFromElsewhere) {
  const std::string page = report_page(small_report());
  for (const char* word : {"http", "src=", "href=", "@import", "url("}) EXPECT_FALSE(contains(page, word)) << word;
}

TEST(Report, SaysPlainlyWhatTheModelBeats) {
  const auto sentences = verdicts(small_report());
  ASSERT_EQ(sentences.size(), 2U);  // "other" has no mae
  EXPECT_EQ(sentences[0], "beats last_value: mae 8.0000 against 10.00, 20.0 % lower");
  EXPECT_EQ(sentences[1], "does not beat seasonal: mae 8.0000 against 4.0000, 100.0 % higher");
  Report accuracy = small_report();
  accuracy.metrics = {{"accuracy", 0.75}};
  accuracy.baselines = {{"majority", {{"accuracy", 0.5}}}, {"tfidf_logistic", {{"accuracy", 0.75}}}};
  EXPECT_EQ(verdicts(accuracy)[0], "beats majority: accuracy 0.7500 against 0.5000, 50.0 % higher");
  accuracy.baselines[0].p = 0.2;
  EXPECT_EQ(verdicts(accuracy)[0],
            "does not beat majority significantly: accuracy 0.7500 against 0.5000, 50.0 % higher, p = 0.2");
  accuracy.baselines[0].p = 0.0004;
  EXPECT_EQ(verdicts(accuracy)[0], "beats majority: accuracy 0.7500 against 0.5000, 50.0 % higher, p < 0.001");
  EXPECT_EQ(verdicts(accuracy)[1], "does not beat tfidf_logistic: accuracy 0.7500 against 0.7500, the same");
  const std::string page = report_page(small_report());
  EXPECT_TRUE(contains(page, "<tr class=\"model\"><th scope=\"row\">lstm</th><td>8.0000</td><td>9.5000</td></tr>"));
  EXPECT_TRUE(contains(page, "<li class=\"bad\">The model does not beat seasonal"));
}

TEST(Report, ConfusionIsShadedByTheShareOfItsRow) {
  const std::string table =
      confusion_table(std::vector<std::string>{"no", "yes"}, std::vector<std::int64_t>{3, 1, 0, 0});
  EXPECT_TRUE(
      contains(table, "<th scope=\"row\">no</th><td style=\"--share:0.750\">3</td><td style=\"--share:0.250\">1</td>"));
  EXPECT_TRUE(contains(table, "<th scope=\"row\">yes</th><td style=\"--share:0.000\">0</td>"));
  std::vector<std::string> names;
  std::vector<std::int64_t> counts(40 * 40, 0);
  for (std::size_t k = 0; k < 40; ++k) {
    names.push_back(fmt::format("class{}.", k));
    counts[k * 40 + k] = static_cast<std::int64_t>(k);
  }
  const std::string large = confusion_table(names, counts);
  EXPECT_TRUE(contains(large, "the 30 classes with most samples out of 40"));
  EXPECT_FALSE(contains(large, ">class9.<"));
  EXPECT_TRUE(contains(large, ">class10.<"));
}

TEST(Chart, PointsStandWhereTheScaleSays) {
  LineChart chart;
  chart.lines = {{"x", {0, 1, 2}, {0, 50, 100}, false}};
  const std::string svg = chart_svg(chart);
  // x: 0..2 on 74..886. y: 0..105 on 294 up to 32, so 50 is at 294 - 262 * 50 / 105 and 100 at 294 - 262 * 100 / 105.
  EXPECT_TRUE(contains(svg, "points=\"74.0,294.0 480.0,169.2 886.0,44.5\"")) << svg;
  EXPECT_TRUE(contains(svg, ">100</text>"));
}

// Tenfold steps are equally wide: 1, 10, 100 on 74 .. 886; 0.01 and 1 are exponents -2 and 0 on -2.1 .. 0.1, so that
// 0.1 is at 294 - 262 * 1.1 / 2.2.
TEST(Chart, LogarithmicAxesShowFactors) {
  LineChart chart;
  chart.log_x = chart.log_y = true;
  chart.lines = {{"x", {1, 10, 100}, {0.01, 0.1, 1}, false}};
  const std::string svg = chart_svg(chart);
  EXPECT_TRUE(contains(svg, "points=\"74.0,282.1 480.0,163.0 886.0,43.9\"")) << svg;
  for (const char* tick : {">1<", ">10<", ">100<", ">0.01<", ">0.1<"}) EXPECT_TRUE(contains(svg, tick)) << tick;
  chart.lines[0].y = {0, -1, 1};  // no logarithm: gaps
  EXPECT_EQ(occurrences(chart_svg(chart), "<circle"), 1U);
  chart.lines = {{"x", {200, 300, 500}, {1, 2, 3}, false}};  // less than a power of ten
  chart.log_y = false;
  for (const char* tick : {">200<", ">300<", ">500<"}) EXPECT_TRUE(contains(chart_svg(chart), tick)) << tick;
}

TEST(Chart, PointsAreCirclesThatNoLineJoins) {
  LineChart chart;
  chart.lines = {{"x", {2, 0, 1}, {50, 0, 100}, false, true}};
  const std::string svg = chart_svg(chart);
  EXPECT_EQ(occurrences(svg, "<circle class=\"line-0\""), 4U);  // one in the legend
  EXPECT_EQ(occurrences(svg, "<polyline"), 0U);
  EXPECT_TRUE(contains(svg, "cx=\"886.0\" cy=\"169.2\" r=\"4\""));
}

TEST(Chart, AGapInTheValuesIsAGapInTheLineAndOneValueADot) {
  LineChart chart;
  chart.lines = {{"x", {0, 1, 2, 3, 4, 5}, {1, 2, NAN, 4, INFINITY, 5}, true}};
  const std::string svg = chart_svg(chart);
  EXPECT_EQ(occurrences(svg, "<polyline class=\"line-0 dashed\""), 1U);
  EXPECT_EQ(occurrences(svg, "<circle class=\"line-0 dashed\""), 2U);
  EXPECT_FALSE(contains(svg, "nan"));
  EXPECT_FALSE(contains(svg, "inf"));
}

TEST(Chart, NothingAndConstantsAreDrawnToo) {
  EXPECT_TRUE(contains(chart_svg(LineChart{}), "nothing to draw"));
  LineChart chart;
  chart.lines = {{"x", {3}, {-7}, false}, {"y", {}, {}, false}};
  const std::string svg = chart_svg(chart);
  EXPECT_TRUE(contains(svg, "<circle class=\"line-0\""));
  EXPECT_FALSE(contains(svg, "nan"));
}

TEST(Chart, LongLinesKeepTheirExtremesInFewPoints) {
  LineChart chart;
  ChartLine line{"x", {}, {}, false};
  for (int t = 0; t < 100'000; ++t) {
    line.x.push_back(t);
    line.y.push_back(t == 51'234 ? 1000 : t == 70'001 ? -1000 : t % 10);
  }
  chart.lines = {line};
  const std::string svg = chart_svg(chart);
  EXPECT_LT(svg.size(), 40'000U);
  EXPECT_TRUE(contains(svg, ",43.9"));   // 1000 on -1100 .. 1100 from 294 to 32
  EXPECT_TRUE(contains(svg, ",282.1"));  // -1000
}

TEST(Chart, ForecastsStartAtTheHeldBackPart) {
  Series series;
  series.columns = {"load"};
  std::vector<std::string> times;
  for (int t = 0; t < 48; ++t) {
    series.values.push_back(t);
    times.push_back(fmt::format("{}-{:02}", 2000 + t / 12, 1 + t % 12));
  }
  series.times = TimeAxis(times);
  const std::vector<DrawnForecast> forecasts = {{"lstm", {41, 42}}, {"seasonal", {5, 6}}};
  const LineChart chart = forecast_chart(series, 0, {10, 48}, {40, 48}, forecasts);
  ASSERT_EQ(chart.lines.size(), 3U);
  EXPECT_EQ(chart.lines[0].y.front(), 10);
  EXPECT_EQ(chart.lines[1].x, (std::vector<double>{30, 31}));  // counted from row 10
  EXPECT_FALSE(chart.lines[1].dashed);
  EXPECT_TRUE(chart.lines[2].dashed);
  EXPECT_EQ(chart.shaded_from, 30);
  EXPECT_EQ(chart.shaded_to, 37);
  const std::string svg = chart_svg(chart);
  for (const char* month : {">2001-01<", ">2001-07<", ">2003-07<"}) EXPECT_TRUE(contains(svg, month)) << month;
  EXPECT_FALSE(contains(svg, ">2000-"));  // its halves do not begin in what is shown
  EXPECT_TRUE(contains(svg, "class=\"shaded\""));
}

TEST(Chart, LossesAreDrawnOverTheEpochsAndTheBestOneIsNamed) {
  std::vector<EpochEvent> epochs(3);
  for (int e = 0; e < 3; ++e) {
    epochs[static_cast<std::size_t>(e)].epoch = e + 1;
    epochs[static_cast<std::size_t>(e)].training_loss = 1.0 / (e + 1);
    epochs[static_cast<std::size_t>(e)].validation_loss = e == 1 ? 0.5 : 0.9;
    epochs[static_cast<std::size_t>(e)].best = e < 2;
  }
  const LineChart chart = loss_chart(epochs);
  EXPECT_EQ(chart.x_label, "epoch (best: 2)");
  EXPECT_EQ(chart.lines[1].y, (std::vector<double>{0.9, 0.5, 0.9}));
  const std::string svg = chart_svg(chart);
  for (const char* epoch : {">1<", ">2<", ">3<"}) EXPECT_TRUE(contains(svg, epoch)) << epoch;
  EXPECT_FALSE(contains(svg, ">1.5<"));
}

TEST(Chart, SaturatedGatesAreDrawnIfThereAreGates) {
  std::vector<EpochEvent> epochs(2);
  std::vector<Figure> figures;
  add_saturation_figure(epochs, figures);
  EXPECT_TRUE(figures.empty());
  for (EpochEvent& event : epochs) event.gate_saturation = {{"l0", 0.25}, {"l0_reverse", 0.5}};
  add_saturation_figure(epochs, figures);
  ASSERT_EQ(figures.size(), 1U);
  for (const char* text : {"<svg", "l0<", "l0_reverse<"}) EXPECT_TRUE(contains(figures[0].body, text)) << text;
}

}  // namespace
}  // namespace carousel
