// Oracle: forecasts, errors and shares made by hand, so that every number of a chart is known.
#include "tasks/forecast/forecast_pictures.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace carousel {
namespace {

// One series 0, 10, 20 ... of 10 months from 2000-01, the first six for training, forecasts of two steps at rows 6
// and 8: 5 too high and 10 too low, 15 too high and 30 too high. Quantiles of 25 % and 75 % are 20 below and above the
// point.
struct Hand {
  ForecastData data;
  ForecastInfo info;
  std::vector<WindowAt> windows{{0, 6}, {0, 8}};
  PicturedForecasts pictured;

  Hand() : pictured{{data, info, windows}, {}, 1} {
    Series series;
    series.id = "only";
    series.columns = {"load"};
    std::vector<std::string> times;
    for (int t = 0; t < 10; ++t) {
      series.values.push_back(10 * t);
      times.push_back(fmt::format("2000-{:02}", t + 1));
    }
    series.times = TimeAxis(times);
    data.series = {series};
    data.splits = {split_series(series, "6,2,2")};
    info.columns = info.targets = {"load"};
    info.horizon = 2;
    Forecasts model{BasicTensor<double>({2, 2}, std::vector<double>{65, 60, 95, 120}),
                    {0.25, 0.75},
                    BasicTensor<double>({2, 2, 2})};
    for (std::int64_t i = 0; i < 4; ++i) {
      model.quantiles[2 * i] = model.point[i] - 20;
      model.quantiles[2 * i + 1] = model.point[i] + 20;
    }
    pictured.methods = {{"lstm", model},
                        {"last_value", {BasicTensor<double>({2, 2}, std::vector<double>{50, 50, 70, 70}), {}, {}}}};
  }
};

TEST(ForecastPictures, ErrorsAreAveragedAtEachStep) {
  const Hand hand;
  const LineChart chart = step_error_chart(hand.pictured, 0);
  ASSERT_EQ(chart.lines.size(), 3U);  // the first colour is that of what happened
  EXPECT_EQ(chart.lines[1].name, "lstm");
  EXPECT_EQ(chart.lines[1].y, (std::vector<double>{10, 20}));  // (5 + 15) / 2, (10 + 30) / 2
  EXPECT_EQ(chart.lines[2].y, (std::vector<double>{10, 20}));
  EXPECT_EQ(chart.y_label, "mean absolute error, load");
}

TEST(ForecastPictures, ErrorsOfSeveralSeriesAreScaled) {
  Hand hand;
  hand.info.several = true;  // the training part changes by 10 a step
  EXPECT_EQ(step_error_chart(hand.pictured, 0).lines[1].y, (std::vector<double>{1, 2}));
}

TEST(ForecastPictures, WhatIsMissingIsNoError) {
  Hand hand;
  hand.data.series[0].values[9] = NAN;
  EXPECT_EQ(step_error_chart(hand.pictured, 0).lines[1].y, (std::vector<double>{10, 10}));
  EXPECT_EQ(coverage_chart(hand.pictured, 0).lines[1].y, (std::vector<double>{1, 1}));
}

// Actual 60, 70, 80, 90 against quantiles 45 .. 85, 40 .. 80, 75 .. 115, 100 .. 140: one of four lies below its 25 %
// quantile, all lie below that of 75 %; inside are 2 of 2 at step 1 and 1 of 2 at step 2.
TEST(ForecastPictures, CalibrationAndCoverageAreShares) {
  const Hand hand;
  const LineChart calibration = calibration_chart(hand.pictured, 0);
  EXPECT_EQ(calibration.lines[1].x, (std::vector<double>{0.25, 0.75}));
  EXPECT_EQ(calibration.lines[1].y, (std::vector<double>{0.25, 1}));
  const LineChart coverage = coverage_chart(hand.pictured, 0);
  EXPECT_EQ(coverage.lines[1].name, "50 % interval");
  EXPECT_EQ(coverage.lines[1].y, (std::vector<double>{1, 0.5}));
  EXPECT_EQ(coverage.lines[0].y, (std::vector<double>{0.5, 0.5}));  // what it should be
}

TEST(ForecastPictures, IntervalsArePairsOfLevelsNearEightyAndFiftyPercent) {
  const auto list = central_intervals({0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95});
  ASSERT_EQ(list.size(), 2U);
  EXPECT_NEAR(list[0].share, 0.8, 1e-12);
  EXPECT_EQ(list[0].low, 1U);
  EXPECT_EQ(list[0].high, 5U);
  EXPECT_NEAR(list[1].share, 0.5, 1e-12);
  EXPECT_EQ(central_intervals({0.1, 0.5, 0.9}).size(), 1U);
  EXPECT_EQ(central_intervals({0.1, 0.5, 0.8}).size(), 0U);
  EXPECT_EQ(central_intervals({}).size(), 0U);
}

// Six rows before the origin at row 6 and two after it: x of row r is 74 + 812 r / 7. The band goes from the last value
// known, 50 at row 5, to 45 .. 85 and 40 .. 80; y: 0 .. 89.25 (the highest, 85, and a twentieth) on 294 up to 32.
TEST(ForecastPictures, AFanBeginsAtTheLastKnownValueAndHasItsCornersAtItsQuantiles) {
  const Hand hand;
  const LineChart chart = fan_chart(hand.pictured, {0, 0, {0}, {0, 8}, true});
  EXPECT_EQ(chart.marks, (std::vector<double>{5.5}));
  ASSERT_EQ(chart.lines.size(), 3U);
  EXPECT_EQ(chart.lines[0].y.size(), 8U);
  EXPECT_EQ(chart.lines[1].x[0], 5);
  EXPECT_EQ(chart.lines[1].y[0], 50);
  EXPECT_EQ(chart.lines[1].y[2], 60);
  EXPECT_TRUE(std::isnan(chart.lines[1].y[3]));  // the next forecast does not go on from here
  const auto px = [](double x) { return 74 + 812 * x / 7; };
  const auto py = [](double y) { return 294 - 262 * y / 89.25; };
  std::string corners;
  const double wanted[][2] = {{5, 50}, {6, 85}, {7, 80}, {7, 40}, {6, 45}, {5, 50}};
  for (const auto& [x, y] : wanted) corners += fmt::format("{:.1f},{:.1f} ", px(x), py(y));
  corners.back() = '"';
  EXPECT_NE(chart_svg(chart).find("<polygon class=\"band\" points=\"" + corners), std::string::npos) << corners;
}

TEST(ForecastPictures, WindowsEndToEndDoNotOverlap) {
  Hand hand;
  hand.windows = {{0, 4}, {0, 5}, {0, 6}, {1, 4}, {0, 7}, {0, 8}};
  EXPECT_EQ(end_to_end(hand.pictured, 0), (std::vector<std::size_t>{0, 2, 5}));
}

TEST(ForecastPictures, WhatFollowsFromATestFileIsDrawnBehindTheSeries) {
  Hand hand;
  Series after = hand.data.series[0];
  after.values = {60, 70};
  after.times = TimeAxis({"2000-07", "2000-08"});
  const std::vector<Series> actual{after};
  hand.data.series[0].values.resize(6);
  hand.data.series[0].times.resize(6);
  const PicturedForecasts pictured{{hand.data, hand.info, hand.windows, &actual}, hand.pictured.methods, 0};
  EXPECT_EQ(pictured.happened({0, 6}, 1, 0), 70);
  const LineChart chart = origin_chart(pictured, 0, 0);
  EXPECT_EQ(chart.lines[0].y, (std::vector<double>{0, 10, 20, 30, 40, 50, 60, 70}));
  EXPECT_EQ(chart.title, "after 2000-06");
}

TEST(ForecastPictures, TheWorstSeriesComesFirst) {
  Hand hand;
  hand.data.series.push_back(hand.data.series[0]);
  hand.data.splits.push_back(hand.data.splits[0]);
  hand.windows = {{0, 6}, {1, 8}};
  const auto worst = series_by_error(hand.pictured);
  ASSERT_EQ(worst.size(), 2U);
  EXPECT_EQ(worst[0], (std::pair<std::int64_t, double>{1, 2.25}));  // (15 + 30) / 2 / 10
  EXPECT_EQ(worst[1], (std::pair<std::int64_t, double>{0, 0.75}));
  std::vector<Figure> figures;
  add_worst_series_figure(hand.pictured, figures);
  EXPECT_NE(figures.at(0).body.find("only: mase 2.25"), std::string::npos);
}

// +1, -1, +1 ...: r(k) = (-1)^k (n - k) / n. The known values of a series with a gap about their mean are the same.
TEST(ForecastPictures, AutocorrelationStandsOverTheBandOfIndependentErrors) {
  StepErrors errors{{0, 60}, {}};
  for (int t = 0; t < 60; ++t) errors.values.push_back(t % 2 == 0 ? 1 : -1);
  const LineChart chart = autocorrelation_chart(errors, 1);
  ASSERT_EQ(chart.bars.size(), 20U);  // a third of 60
  for (int k = 1; k <= 20; ++k) {
    EXPECT_NEAR(chart.bars[static_cast<std::size_t>(k - 1)].height, (k % 2 == 0 ? 1 : -1) * (60.0 - k) / 60, 1e-12);
  }
  EXPECT_NEAR(chart.bands[0].high[0], 1.96 / std::sqrt(60.0), 1e-12);
  errors.values[10] = errors.values[11] = NAN;  // 58 squares; of 59 pairs three are lost
  EXPECT_NEAR(autocorrelation_chart(errors, 1).bars[0].height, -56.0 / 58, 1e-12);
}

// 0 .. 99: the middle half is 50 wide, so that bins are 100 / 100^(1/3) = 21.5 wide at most: 5 of 19.8, 20 values each.
TEST(ForecastPictures, HistogramBinsFollowTheSpread) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(99 - i);
  values.push_back(NAN);
  const LineChart chart = histogram_chart(values, "error");
  ASSERT_EQ(chart.bars.size(), 5U);
  for (const ChartBar& bar : chart.bars) EXPECT_EQ(bar.height, 20);
  // The normal density at the mean: n width / (deviation sqrt(2 pi)), deviation^2 = (100^2 - 1) / 12.
  EXPECT_NEAR(chart.lines[1].y[50], 100 * 19.8 / std::sqrt(9999.0 / 12 * 2 * M_PI), 1e-9);
  EXPECT_EQ(histogram_chart({3, 3, 3}, "error").bars.size(), 1U);  // errors that do not change
}

TEST(ForecastPictures, APageHasFiguresForWhatIsKnown) {
  Hand hand;
  std::vector<Figure> figures;
  add_forecast_figures(hand.pictured, 0, 0, {6, 10}, figures);
  std::string headings;
  for (const Figure& figure : figures) {
    headings += figure.heading + "; ";
    EXPECT_EQ(figure.body.find("nan"), std::string::npos) << figure.heading;
    EXPECT_EQ(figure.body.find("inf\""), std::string::npos) << figure.heading;
  }
  EXPECT_EQ(headings, "The series; Closer; From their origins; Error by step; Calibration; ");
  hand.pictured.methods[0].forecasts.levels.clear();  // points alone, one window alone
  hand.windows.resize(1);
  figures.clear();
  add_forecast_figures(hand.pictured, 0, 0, {6, 8}, figures);
  EXPECT_EQ(figures.size(), 3U);
}

TEST(ForecastPictures, ErrorsThatAreNotKnownGiveNoFigure) {
  const Hand hand;
  std::vector<Figure> figures;
  add_error_figures({{0, 2}, {NAN, NAN}}, hand.data.series[0], "load", 1, figures);
  EXPECT_TRUE(figures.empty());
  add_error_figures({{0, 3}, {1, NAN, 2}}, hand.data.series[0], "load", 1, figures);
  EXPECT_EQ(figures.size(), 2U);
}

}  // namespace
}  // namespace carousel
