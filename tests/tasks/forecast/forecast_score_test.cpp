// Oracle: errors worked out by hand; the tests of significance.h on the same losses; fits at one origin.
#include "tasks/forecast/forecast_score.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/significance.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

// Series of one column, `rows` each, of which `training` are the training part; in scaled units they are the same.
ForecastData data_of(const std::vector<std::vector<double>>& values, const std::string& split) {
  ForecastData data;
  for (std::size_t k = 0; k < values.size(); ++k) {
    Series& series = data.series.emplace_back();
    series.id = fmt::format("s{}", k);
    series.columns = {"x"};
    series.values = values[k];
    data.splits.push_back(split_series(series, split));
    data.scalers.push_back(Scaler(std::vector<ColumnScaling>(1)));
  }
  data.scaled = data.series;
  return data;
}

ForecastInfo info_of(std::int64_t horizon, bool several = false) {
  ForecastInfo info;
  info.columns = info.targets = {"x"};
  info.horizon = horizon;
  info.several = several;
  return info;
}

Forecasts forecasts_of(std::int64_t windows, std::vector<double> points) {
  const auto values = static_cast<std::int64_t>(points.size()) / windows;
  return {BasicTensor<double>({windows, values}, points), {}, {}, false};
}

double metric(const Metrics& metrics, const char* name) { return *find_metric(metrics, name); }

TEST(ForecastScore, ErrorsByStepAndOverAllByHand) {
  const ForecastData data = data_of({{0, 2, 4, 6, 8, 10, NAN, 14}}, "4,4");
  const ForecastInfo info = info_of(2);
  const std::vector<WindowAt> windows{{0, 4}, {0, 6}};
  const ForecastErrors errors = ForecastScoring{data, info, windows}.errors(forecasts_of(2, {9, 7, 5, 12}));
  // Errors 1 -3 | missing -2; the training part moves by 2 a step.
  EXPECT_NEAR(metric(errors.metrics, "rmse"), std::sqrt(14.0 / 3), 1e-14);
  EXPECT_NEAR(metric(errors.metrics, "mae"), 2, 1e-14);
  EXPECT_NEAR(metric(errors.metrics, "mase"), 1, 1e-14);
  expect_near(errors.by_horizon.rmse, std::vector<double>{1, std::sqrt(6.5)}, 1e-14, "rmse");
  expect_near(errors.by_horizon.mae, std::vector<double>{1, 2.5}, 1e-14, "mae");
  expect_near(errors.losses, std::vector<double>{5, 4}, 1e-14, "losses");
  // 8 10 14: mean 32/3, squares about it 56/3; forecasts 9 7 12 about 28/3: squares 38/3, products 34/3.
  EXPECT_NEAR(metric(errors.metrics, "rse"), std::sqrt(14.0 * 3 / 56), 1e-12);
  EXPECT_NEAR(metric(errors.metrics, "corr"), 34 / std::sqrt(56.0 * 38), 1e-12);
}

TEST(ForecastScore, ScaledErrorsAreOverTheDeviationOfTheTrainingPart) {
  const ForecastData data = data_of({{1, 5, 1, 5, 8, 10}}, "4,2");  // mean 3, deviation 2
  const ForecastInfo info = info_of(2);
  const std::vector<WindowAt> windows{{0, 4}};
  ForecastScoring scoring{data, info, windows, nullptr, true};
  const Metrics scaled = scoring.score(forecasts_of(1, {12, 10}));
  EXPECT_NEAR(metric(scaled, "mse"), 2, 1e-14);
  EXPECT_NEAR(metric(scaled, "mase"), 0.5, 1e-14);
}

// Levels 0.1, 0.5, 0.9 at 0 2 6 for the value 4: pinball losses 0.4, 1, 0.2; at 1 2 3 for -1: 1.8, 1.5, 0.4.
TEST(ForecastScore, QuantilesAreScoredInTheUnitsOfTheErrors) {
  const ForecastData data = data_of({{1, 5, 1, 5, 4, -1}}, "4,2");  // mean 3, deviation 2
  const ForecastInfo info = info_of(2);
  const std::vector<WindowAt> windows{{0, 4}};
  Forecasts forecasts = forecasts_of(1, {2, 2});
  forecasts.levels = {0.1, 0.5, 0.9};
  forecasts.quantiles = BasicTensor<double>({1, 2, 3}, std::vector<double>{0, 2, 6, 1, 2, 3});
  const Metrics metrics = ForecastScoring{data, info, windows}.score(forecasts);
  EXPECT_NEAR(metric(metrics, "wql"), 2 * (0.4 + 1 + 0.2 + 1.8 + 1.5 + 0.4) / 3 / 5, 1e-14);
  EXPECT_EQ(metric(metrics, "coverage_80"), 0.5);
  const Metrics scaled = ForecastScoring{data, info, windows, nullptr, true}.score(forecasts);
  EXPECT_NEAR(metric(scaled, "crps"), metric(metrics, "crps") / 2, 1e-14);
  EXPECT_EQ(metric(scaled, "coverage_80"), 0.5);
}

// Counted by hand; borders belong to the interval, a missing value does not count, in whatever pieces they come.
TEST(ForecastScore, CoverageCountsKnownValues) {
  Forecasts forecasts{BasicTensor<double>({1, 5}), {0.1, 0.9}, BasicTensor<double>({1, 5, 2})};
  for (std::int64_t i = 0; i < 5; ++i) forecasts.quantiles[2 * i + 1] = 1;  // from 0 to 1
  QuantileScore score;
  score.add(forecasts, BasicTensor<double>({1, 5}, std::vector<double>{0, 0.5, 1.01, NAN, 1}));
  score.add(forecasts, BasicTensor<double>({1, 5}, std::vector<double>{NAN, -1, 2, 3, NAN}));
  Metrics metrics;
  score.add_metrics(metrics);
  EXPECT_EQ(metric(metrics, "coverage_80"), 3.0 / 7);
  metrics.clear();
  QuantileScore of_points;
  of_points.add(forecasts_of(1, {1, 2}), BasicTensor<double>({1, 2}));
  of_points.add_metrics(metrics);
  EXPECT_TRUE(metrics.empty());
}

// Oracle: all windows at once.
TEST(ForecastScore, IsTheSameInPieces) {
  constexpr std::int64_t kOrigins = 300, kHorizon = 400, kLevels = 11;
  std::vector<double> values(kOrigins + kHorizon + 20), noise(kOrigins * kHorizon * kLevels);
  fill_normal({1, Purpose::kTest, 5}, 50.0, 1.0, std::span<double>(values));
  fill_normal({1, Purpose::kTest, 6}, 50.0, 1.0, std::span<double>(noise));
  values[600] = NAN;
  const ForecastData data = data_of({values}, "20,700");
  ForecastInfo info = info_of(kHorizon);
  info.levels = default_levels();
  std::vector<WindowAt> windows;
  for (std::int64_t n = 0; n < kOrigins; ++n) windows.push_back({0, 20 + n});
  const auto forecasts_from = [&](std::int64_t first, std::int64_t count) {
    const std::span<const double> numbers(noise.data() + first * kHorizon * kLevels, count * kHorizon * kLevels);
    std::vector<double> points;
    for (std::int64_t i = 0; i < count * kHorizon; ++i) points.push_back(numbers[i * kLevels]);
    Forecasts forecasts = forecasts_of(count, points);
    forecasts.levels = info.levels;
    forecasts.quantiles =
        BasicTensor<double>({count, kHorizon, kLevels}, std::vector<double>(numbers.begin(), numbers.end()));
    return forecasts;
  };
  const ForecastScoring scoring{data, info, windows, nullptr, true, true};
  std::vector<std::size_t> pieces;
  const ForecastErrors some = scoring.errors([&](std::span<const WindowAt> here) {
    pieces.push_back(here.size());
    return forecasts_from(here.front().origin - 20, std::ssize(here));
  });
  EXPECT_EQ(pieces, (std::vector<std::size_t>{256, 44}));
  const ForecastErrors all = scoring.errors(forecasts_from(0, kOrigins));
  EXPECT_EQ(some.metrics, all.metrics);
  EXPECT_NE(find_metric(all.metrics, "direction_accuracy"), nullptr);
  EXPECT_NE(find_metric(all.metrics, "crps"), nullptr);
  EXPECT_EQ(some.losses, all.losses);
  EXPECT_EQ(some.losses.size(), windows.size());
  EXPECT_EQ(some.by_horizon.rmse, all.by_horizon.rmse);
}

TEST(ForecastScore, TheFirstMetricOfSeveralSeriesHasNoUnit) {
  const ForecastData data = data_of({{0, 1, 0, 1, 3, 3}, {0, 100, 0, 100, 300, 300}}, "4,2");
  const ForecastInfo info = info_of(1, true);
  const std::vector<WindowAt> windows{{0, 4}, {0, 5}, {1, 4}, {1, 5}};
  const ForecastErrors errors = ForecastScoring{data, info, windows}.errors(forecasts_of(4, {4, 5, 400, 300}));
  EXPECT_EQ(errors.metrics[0].first, "mase");
  EXPECT_NEAR(errors.metrics[0].second, 1, 1e-14);
  expect_near(errors.losses, std::vector<double>{1, 2, 1, 0}, 1e-14, "losses");
}

// Training series 0 2 0 2 (mean and deviation 1) and 0 4 8 (mean 4), of which the model file keeps mean 16 / 7,
// deviation sqrt(480) / 7 and mean change (3 * 2 + 2 * 4) / 5; the third series was held back.
TEST(ForecastScore, SeriesHeldBackAsAWholeAreMeasuredByTheTrainingSeries) {
  ForecastData data = data_of({{0, 2, 0, 2}, {0, 4, 8}, {5, 9, 7}}, "3,0");
  for (std::size_t k = 0; k < 2; ++k) data.splits[k] = train_on_all(data.series[k]);
  data.splits[2] = {{}, {0, 3}, {3, 3}};
  ForecastInfo info = info_of(1, true);
  info.by_series = true;
  const std::vector<WindowAt> windows{{2, 1}, {2, 2}};
  const ForecastScoring scoring{data, info, windows}, scaled{data, info, windows, nullptr, true};
  const Forecasts forecasts = forecasts_of(2, {8, 4});  // errors -1 and -3
  const Metrics unknown = scoring.score(forecasts);
  EXPECT_EQ(find_metric(unknown, "mase"), nullptr);
  EXPECT_EQ(unknown.size(), 6u);
  expect_error(Code::kUsage, {"--scaled", "train it again"}, [&] { scaled.score(forecasts); });
  info.held_back = {{16.0 / 7}, {std::sqrt(480.0) / 7}, {mase_scale(data.series, data.splits, 0, 1)}};
  EXPECT_NEAR(info.held_back.mase[0], 2.8, 1e-14);
  EXPECT_NEAR(metric(scoring.score(forecasts), "mase"), 2 / 2.8, 1e-14);
  EXPECT_NEAR(metric(scaled.score(forecasts), "mase"), 2 / 2.8, 1e-14);
  EXPECT_NEAR(metric(scaled.score(forecasts), "mse"), 5 * 49 / 480.0, 1e-14);
}

TEST(ForecastTable, SaysWhyThereIsNoMase) {
  const ForecastData data = data_of({{3, 3, 3, 3, 4, 5}}, "4,2");  // nothing changes in the training part
  ForecastInfo info = info_of(1);
  const std::vector<WindowAt> windows{{0, 4}, {0, 5}};
  const ForecastScoring scoring{data, info, windows};
  ForecastTable table(scoring, scoring.errors(forecasts_of(2, {3, 3})));
  table.add("naive2", scoring.errors(forecasts_of(2, {4, 4})));
  const EvaluateResult result = table.finish();
  EXPECT_EQ(find_metric(result.metrics, "mase"), nullptr);
  EXPECT_EQ(find_metric(result.metrics, "owa"), nullptr);
  EXPECT_EQ(
      result.notes,
      std::vector<std::string>{
          "MASE: none, since repeating the last season makes no error in the training part, by which it is measured."});
  info.by_series = true;
  EvaluateResult held_back;
  note_missing_mase(info, held_back);
  EXPECT_NE(held_back.notes.at(0).find("MASE: not known"), std::string::npos);
}

TEST(ForecastTable, TestsOverOriginsThatOverlapAndComparesWithNaive2) {
  const std::int64_t origins = 12;
  std::vector<double> values(30), model(24), other(24);
  fill_normal({1, Purpose::kTest, 0}, 5.0, 1.0, std::span<double>(values));
  fill_normal({1, Purpose::kTest, 1}, 5.0, 1.0, std::span<double>(model));
  fill_normal({1, Purpose::kTest, 2}, 5.0, 2.0, std::span<double>(other));
  const ForecastData data = data_of({values}, "15,15");
  const ForecastInfo info = info_of(2);
  std::vector<WindowAt> windows;
  for (std::int64_t n = 0; n < origins; ++n) windows.push_back({0, 15 + n});  // each step is forecast twice
  const ForecastScoring scoring{data, info, windows};
  ForecastTable table(scoring, scoring.errors(forecasts_of(origins, model)));
  table.add("naive2", scoring.errors(forecasts_of(origins, other)));
  const EvaluateResult result = table.finish();
  const auto losses = [&](const std::vector<double>& points) {
    return scoring.errors(forecasts_of(origins, points)).losses;
  };
  EXPECT_EQ(result.baselines[0].p, diebold_mariano(losses(model), losses(other), 2)->p);
  EXPECT_LT(*result.baselines[0].p, 1);
  const double owa = metric(result.metrics, "smape") / metric(result.baselines[0].metrics, "smape") +
                     metric(result.metrics, "mase") / metric(result.baselines[0].metrics, "mase");
  EXPECT_NEAR(metric(result.metrics, "owa"), owa / 2, 1e-14);
  EXPECT_NEAR(metric(result.baselines[0].metrics, "owa"), 1, 1e-14);
}

TEST(ForecastTable, TestsOverTheSeriesWhereThereAreMoreOfThem) {
  const ForecastData data = data_of({{0, 1, 0, 1, 3, 3}, {0, 1, 0, 1, 2, 5}, {0, 1, 0, 1, 7, 1}}, "4,2");
  const ForecastInfo info = info_of(1, true);
  const std::vector<WindowAt> windows{{0, 4}, {0, 5}, {1, 4}, {1, 5}, {2, 4}, {2, 5}};
  const ForecastScoring scoring{data, info, windows};
  ForecastTable table(scoring, scoring.errors(forecasts_of(6, {4, 4, 2, 3, 7, 7})));  // mean losses 1 1 3
  table.add("other", scoring.errors(forecasts_of(6, {3, 3, 4, 5, 5, 6})));            // 0 1 3.5
  const std::vector<double> mine{1, 1, 3}, theirs{0, 1, 3.5};
  EXPECT_NEAR(*table.finish().baselines[0].p, diebold_mariano(mine, theirs, 1)->p, 1e-14);
}

// Oracle: a fit on the rows before one origin alone.
TEST(RefittedForecasts, EqualFitsAtEachOrigin) {
  std::vector<std::vector<double>> values(2, std::vector<double>(60));
  fill_normal({1, Purpose::kTest, 3}, 9.0, 1.0, std::span<double>(values[0]));
  fill_normal({1, Purpose::kTest, 4}, 9.0, 2.0, std::span<double>(values[1]));
  const ForecastData data = data_of(values, "40,20");
  ForecastInfo info = info_of(3, true);
  info.window = 4;
  info.season = 5;
  const std::vector<WindowAt> windows{{0, 44}, {0, 50}, {1, 45}, {1, 51}};
  for (const bool sliding : {false, true}) {
    const std::vector<NamedForecasts> all = refitted_forecasts(data, windows, info, sliding);
    ASSERT_EQ(all.size(), 7u);
    const std::vector<TrainingRange> parts{known_at(data.splits[0].train, 50, sliding),
                                           known_at(data.splits[1].train, 51, sliding)};
    EXPECT_EQ(parts[0].begin(), sliding ? 10 : 0);
    const ForecastBaselines fitted = make_forecast_baselines(data, info, parts);
    const std::vector<WindowAt> last{windows[1], windows[3]};
    for (std::size_t m = 0; m < all.size(); ++m) {
      EXPECT_EQ(all[m].name, fitted[m]->name());
      const Forecasts expected = baseline_forecasts(*fitted[m], data, last, info);
      for (std::int64_t h = 0; h < 3; ++h) {
        EXPECT_EQ(all[m].forecasts.point[3 + h], expected.point[h]) << all[m].name;
        EXPECT_EQ(all[m].forecasts.point[9 + h], expected.point[3 + h]) << all[m].name;
      }
    }
  }
}

TEST(Prices, ReturnsAndDirectionsByHand) {
  const ForecastData data = data_of({{50, 100, 110, 110, 99, 120}}, "2,4");
  const ForecastInfo info = info_of(1);
  const std::vector<WindowAt> windows{{0, 2}, {0, 3}, {0, 4}, {0, 5}};
  ForecastScoring scoring{data, info, windows, nullptr, false, true};
  // Returns 0.1 0 -0.1 0.2121...; forecast errors in returns: 0.05, 0.1, 0.2, 0.1; directions right, -, wrong, right.
  const ForecastErrors errors = scoring.errors(forecasts_of(4, {115, 121, 121, 110.1}));
  EXPECT_EQ(errors.metrics[0].first, "return_rmse");
  const double fourth = 9.9 / 99;
  EXPECT_NEAR(errors.metrics[0].second, std::sqrt((0.0025 + 0.01 + 0.04 + fourth * fourth) / 4), 1e-12);
  EXPECT_NEAR(metric(errors.metrics, "return_mae"), (0.05 + 0.1 + 0.2 + fourth) / 4, 1e-12);
  EXPECT_NEAR(metric(errors.metrics, "direction_accuracy"), 2.0 / 3, 1e-14);
  const ForecastErrors walk = scoring.errors(forecasts_of(4, {100, 110, 110, 99}));
  EXPECT_EQ(find_metric(walk.metrics, "direction_accuracy"), nullptr);

  ForecastTable table(scoring, scoring.errors(forecasts_of(4, {115, 121, 121, 110.1})));
  table.add("last_value", scoring.errors(forecasts_of(4, {100, 110, 110, 99})));
  const EvaluateResult result = table.finish();
  ASSERT_EQ(result.notes.size(), 2u);
  EXPECT_EQ(result.notes[0],
            "Direction of x: 66.7 % of 3 moves foretold (95 % interval 20.8 to 93.9 %): no better than a coin.");
  EXPECT_EQ(
      result.notes[1].rfind("The model does not beat the random walk: errors of returns 12.5 % against 12.7 %", 0), 0u)
      << result.notes[1];
}

TEST(Prices, ThatAreNotAboveZeroAreRefused) {
  const ForecastData data = data_of({{50, 100, -3, 110}}, "2,2");
  const ForecastInfo info = info_of(1);
  const std::vector<WindowAt> windows{{0, 2}};
  const ForecastScoring scoring{data, info, windows, nullptr, false, true};
  expect_error(Code::kData, {"--prices", "'x' is -3 in row 3"}, [&] { scoring.score(forecasts_of(1, {1})); });
}

}  // namespace
}  // namespace carousel
