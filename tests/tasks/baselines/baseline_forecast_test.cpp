// Oracle: series whose continuation is known (a sine, a line, a repeated pattern), and metrics worked out by hand.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "base/random.h"
#include "tasks/baselines/forecast_baselines.h"
#include "tasks/metrics.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

using Matrix = BasicTensor<double>;

template <class F>
Series series_of(std::int64_t steps, std::int64_t columns, F value) {
  Series series;
  for (std::int64_t c = 0; c < columns; ++c) series.columns.push_back(fmt::format("x{}", c));
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t c = 0; c < columns; ++c) series.values.push_back(value(static_cast<double>(t), c));
  }
  return series;
}

Matrix forecast(const ForecastBaseline& baseline, const Series& series, std::int64_t origin, const Shape& shape) {
  Matrix out(shape);
  baseline.forecast({0, series, {&origin, 1}}, out.view());
  return out;
}

Matrix actual(const Series& series, std::int64_t origin, const Shape& shape, std::vector<std::int64_t> targets) {
  Matrix out(shape);
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    out[i] = series.at(origin + i / shape.back(), targets[static_cast<std::size_t>(i % shape.back())]);
  }
  return out;
}

std::unique_ptr<ForecastBaseline> autoregression(const Series& series, const std::string& split,
                                                 const AutoregressionOptions& options) {
  const TrainingSeries training{&series, split_series(series, split).train};
  return linear_autoregression({&training, 1}, options);
}

TEST(ForecastBaselines, LastValueRepeatsTheRowBeforeTheOrigin) {
  const Series series = series_of(9, 3, [](double t, std::int64_t c) { return 10 * t + static_cast<double>(c); });
  const auto baseline = last_value_baseline({2, 0});
  EXPECT_EQ(baseline->name(), "last_value");
  expect_near(forecast(*baseline, series, 5, {3, 2}), Matrix(Shape{3, 2}, std::vector<double>{42, 40, 42, 40, 42, 40}),
              0, "f");
}

TEST(ForecastBaselines, SeasonalRepeatsTheLastKnownValueOfThePhase) {
  const Series series = series_of(12, 1, [](double t, std::int64_t) { return t; });
  const auto baseline = seasonal_baseline({0}, 4);
  // Known are rows 0 .. 8: the last season is 5 6 7 8, twice and a half over a horizon of 10.
  expect_near(forecast(*baseline, series, 9, {10, 1}),
              Matrix(Shape{10, 1}, std::vector<double>{5, 6, 7, 8, 5, 6, 7, 8, 5, 6}), 0, "f");
  // Known are rows 0 .. 2 only: phase 0 is not known and the last value stands in.
  expect_near(forecast(*baseline, series, 3, {5, 1}), Matrix(Shape{5, 1}, std::vector<double>{2, 0, 1, 2, 2}), 0, "f");
  const Series pattern = series_of(40, 1, [](double t, std::int64_t) { return std::fmod(t, 4) * std::fmod(t, 4); });
  expect_near(forecast(*baseline, pattern, 22, {7, 1}), actual(pattern, 22, {7, 1}, {0}), 0, "pattern");
  expect_error(Code::kUsage, {"season is 0"}, [] { seasonal_baseline({0}, 0); });
}

// Oracle: by hand, of 2 6 4 0 8 from row 1 on (training rows 1 to 3 of a sliding window).
TEST(ForecastBaselines, DriftAndMeanGoOnWithTheObservedValues) {
  Series series = series_of(6, 1, [](double, std::int64_t) { return 0.0; });
  series.values = {99, 2, 6, 4, 0, 8};
  const TrainingSeries training{&series, known_at(split_series(series, "3,3").train, 4, true)};
  const auto drift = drift_baseline({&training, 1}, {0}), mean = mean_baseline({&training, 1}, {0});
  const std::vector<std::int64_t> origins{4, 5, 6};
  Matrix out({6, 1});
  drift->forecast({0, series, origins}, out.view());
  expect_near(out, Matrix(Shape{6, 1}, std::vector<double>{5, 6, 0 - 2.0 / 3, 0 - 4.0 / 3, 9.5, 11}), 1e-12, "drift");
  mean->forecast({0, series, origins}, out.view());
  expect_near(out, Matrix(Shape{6, 1}, std::vector<double>{4, 4, 3, 3, 4, 4}), 1e-12, "mean");
  expect_near(forecast(*drift, series, 2, {2, 1}), Matrix(Shape{2, 1}, std::vector<double>{2, 2}), 0, "one value");
}

// Oracle: a series that is a level times exact factors 1.2, 0.9, 0.9; the values of its random order have no season.
TEST(ForecastBaselines, Naive2RepeatsTheSeasonallyAdjustedValue) {
  const double factors[] = {1.2, 0.9, 0.9};
  Series series = series_of(36, 1, [&](double t, std::int64_t) { return 50 * factors[static_cast<int>(t) % 3]; });
  series.values[33] = 72;  // behind the training part
  const TrainingSeries training{&series, split_series(series, "30,6").train};
  const auto baseline = naive2_baseline({&training, 1}, {0}, 3);
  expect_near(forecast(*baseline, series, 34, {4, 1}), Matrix(Shape{4, 1}, std::vector<double>{54, 54, 72, 54}), 1e-9,
              "seasonal");
  Series mixed = series;
  std::vector<std::int64_t> order(36);
  fill_permutation({5, Purpose::kTest, 0}, order);
  for (std::size_t t = 0; t < 36; ++t) mixed.values[t] = series.values[static_cast<std::size_t>(order[t])];
  const TrainingSeries without{&mixed, split_series(mixed, "30,6").train};
  const double last = mixed.values[33];
  expect_near(forecast(*naive2_baseline({&without, 1}, {0}, 3), mixed, 34, {2, 1}),
              Matrix(Shape{2, 1}, std::vector<double>{last, last}), 0, "no season");
}

TEST(ForecastBaselines, AutoregressionContinuesASineExactly) {
  const Series series =
      series_of(300, 1, [](double t, std::int64_t) { return 100 + 7 * std::sin(2 * std::numbers::pi * t / 17.3); });
  const auto baseline = autoregression(series, "240,60", {.window = 20, .horizon = 9, .targets = {0}});
  EXPECT_EQ(baseline->name(), "linear_autoregression");
  for (std::int64_t origin : {240, 263, 291}) {
    expect_near(forecast(*baseline, series, origin, {9, 1}), actual(series, origin, {9, 1}, {0}), 1e-6, "sine");
  }
}

TEST(ForecastBaselines, AutoregressionContinuesALineBeyondTheTrainingPart) {
  const Series series = series_of(200, 1, [](double t, std::int64_t) { return 5 - 0.25 * t; });
  const auto baseline = autoregression(series, "100,100", {.window = 6, .horizon = 5, .targets = {0}});
  for (std::int64_t origin : {100, 195}) {
    expect_near(forecast(*baseline, series, origin, {5, 1}), actual(series, origin, {5, 1}, {0}), 1e-6, "line");
  }
}

// Column 1 is what column 0 was three steps before; column 0 is noise, so that own past says nothing about column 1.
Series delayed_noise(std::int64_t steps) {
  std::vector<double> noise(static_cast<std::size_t>(steps) + 3);
  fill_normal({21, Purpose::kTest, 1}, 0.0, 1.0, std::span<double>(noise));
  return series_of(steps, 3, [&](double t, std::int64_t c) {
    const auto at = static_cast<std::size_t>(t);
    return c == 0 ? noise[at + 3] : c == 1 ? 4 * noise[at] + 1 : 6.0;  // column 2 is constant
  });
}

TEST(ForecastBaselines, AutoregressionTakesAllColumnsWhereTheyHelp) {
  const Series series = delayed_noise(400);
  const auto baseline = autoregression(series, "350,50", {.window = 5, .horizon = 3, .targets = {1, 2}});
  expect_near(forecast(*baseline, series, 360, {3, 2}), actual(series, 360, {3, 2}, {1, 2}), 1e-4, "delayed");
  const AutoregressionOptions own{.window = 5, .horizon = 3, .targets = {1, 2}, .largest = 1};
  ForecastScore score;
  for (std::int64_t origin = 350; origin < 398; ++origin) {
    score.add(forecast(*autoregression(series, "350,50", own), series, origin, {3, 2}).span(),
              actual(series, origin, {3, 2}, {1, 2}).span(), std::vector<double>{1, 1});
  }
  EXPECT_GT(score.mse(), 4.0);  // own past: no better than the deviation of 4, half of the values
}

TEST(ForecastBaselines, AutoregressionIsFittedOnTheTrainingPartOnly) {
  Series series = delayed_noise(300);
  const AutoregressionOptions options{.window = 4, .horizon = 2, .targets = {0, 1}};
  const Matrix before = forecast(*autoregression(series, "200,100", options), series, 150, {2, 2});
  for (std::size_t i = 600; i < series.values.size(); ++i) series.values[i] = 1e6;
  const Matrix after = forecast(*autoregression(series, "200,100", options), series, 150, {2, 2});
  expect_near(after, before, 0, "forecast");
}

TEST(ForecastBaselines, AutoregressionSharesOneMapBetweenSeriesAndNeedsAWindow) {
  const auto sine = [](double shift) {
    return series_of(60, 1, [=](double t, std::int64_t) { return std::sin(t / 3 + shift); });
  };
  const Series a = sine(0), b = sine(1), tiny = series_of(5, 1, [](double t, std::int64_t) { return t; });
  const std::vector<TrainingSeries> all = {{&a, train_on_all(a).train}, {&b, train_on_all(b).train}, {&tiny, {}}};
  const AutoregressionOptions options{.window = 8, .horizon = 4, .targets = {0}};
  const auto baseline = linear_autoregression(all, options);
  const Series other = sine(2.5);
  expect_near(forecast(*baseline, other, 30, {4, 1}), actual(other, 30, {4, 1}, {0}), 1e-4, "sine");
  expect_error(Code::kUsage, {"7 rows", "window of 8"}, [&] { forecast(*baseline, other, 7, {4, 1}); });
  EXPECT_EQ(linear_autoregression(std::vector<TrainingSeries>{{&tiny, train_on_all(tiny).train}}, options), nullptr);
}

TEST(Metrics, ForecastErrorsAreTheirFormulas) {
  const std::vector<double> f = {1, 2, 0, 10}, a = {3, 2, 0, 5};
  EXPECT_DOUBLE_EQ(mean_absolute_error(f, a), 7.0 / 4);
  EXPECT_DOUBLE_EQ(mean_squared_error(f, a), 29.0 / 4);
  EXPECT_DOUBLE_EQ(root_mean_squared_error(f, a), std::sqrt(29.0 / 4));
  EXPECT_DOUBLE_EQ(symmetric_mape(f, a), (200 * 2.0 / 4 + 0 + 0 + 200 * 5.0 / 15) / 4);
  ForecastScore score;                        // two targets per step, two windows
  const std::vector<double> scales = {2, 0};  // the second one never changes: no MASE
  score.add(std::span(f).first(2), std::span(a).first(2), scales);
  score.add(std::span(f).last(2), std::span(a).last(2), scales);
  EXPECT_EQ(score.windows(), 2);
  EXPECT_DOUBLE_EQ(score.mae(), mean_absolute_error(f, a));
  EXPECT_DOUBLE_EQ(score.rmse(), root_mean_squared_error(f, a));
  EXPECT_DOUBLE_EQ(score.smape(), symmetric_mape(f, a));
  EXPECT_DOUBLE_EQ(score.mase(), (2.0 / 2 + 0.0 / 2) / 2);
}

TEST(Metrics, TheSeasonalForecastHasMaseOneInSample) {
  std::vector<double> noise(90);
  fill_normal({22, Purpose::kTest, 1}, 0.0, 1.0, std::span<double>(noise));
  const Series series = series_of(90, 1, [&](double t, std::int64_t) { return noise[static_cast<std::size_t>(t)]; });
  const TrainingRange training = split_series(series, "70,20").train;
  for (std::int64_t season : {1, 6}) {
    const auto baseline = seasonal_baseline({0}, season);
    const double scale = mase_scale(series, training, 0, season);
    ForecastScore score;
    for (std::int64_t origin = season; origin < 70; ++origin) {
      score.add(forecast(*baseline, series, origin, {1, 1}).span(), actual(series, origin, {1, 1}, {0}).span(),
                {&scale, 1});
    }
    EXPECT_NEAR(score.mase(), 1, 1e-12) << season;
  }
  EXPECT_EQ(mase_scale(series, training, 0, 70), mase_scale(series, training, 0, 1));
}

TEST(Metrics, AccuracyAndMacroF1AreTheirFormulas) {
  const std::vector<std::int32_t> actual_labels = {0, 0, 0, 1, 1, 2}, predicted = {0, 0, 1, 1, 2, 2};
  EXPECT_DOUBLE_EQ(accuracy(predicted, actual_labels), 4.0 / 6);
  EXPECT_EQ(confusion_counts(predicted, actual_labels, 3), (std::vector<std::int64_t>{2, 1, 0, 0, 1, 1, 0, 0, 1}));
  // F1: class 0: tp 2 fp 0 fn 1 = 4/5; class 1: tp 1 fp 1 fn 1 = 1/2; class 2: tp 1 fp 1 fn 0 = 2/3; class 3 is
  // nowhere.
  EXPECT_DOUBLE_EQ(macro_f1(predicted, actual_labels, 4), (0.8 + 0.5 + 2.0 / 3) / 3);
  EXPECT_TRUE(higher_is_better("accuracy"));
  EXPECT_FALSE(higher_is_better("mae"));
}

}  // namespace
}  // namespace carousel
