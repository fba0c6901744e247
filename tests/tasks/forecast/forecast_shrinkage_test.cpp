// Oracles: shares worked out by hand; losses of windows from the mean over all of them; forecasts between those of two
// networks.
#include "tasks/forecast/forecast_shrinkage.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tasks/forecast/forecast_training.h"
#include "tests/support/expect_near.h"
#include "tests/tasks/forecast/forecast_case.h"

namespace carousel {
namespace {

ForecastInfo info_of(std::int64_t horizon, bool several = false) {
  ForecastInfo info;
  info.columns = info.targets = {"x"};
  info.window = 4;
  info.horizon = horizon;
  info.several = several;
  return info;
}

std::vector<WindowAt> windows_of(const std::vector<std::int64_t>& series) {
  std::vector<WindowAt> windows;
  for (const std::int64_t k : series) windows.push_back({k, 10 + std::ssize(windows)});
  return windows;
}

// Gains g with mean m and deviation s over n windows: (m / error)^2 = (n - 1) / n x m^2 n / s^2 for steps of one.
double share_of(const std::vector<double>& gains, std::int64_t horizon = 1, std::vector<std::int64_t> series = {}) {
  if (series.empty()) series.assign(gains.size(), 0);
  std::vector<double> start(gains.size(), 5), trained;
  for (std::size_t n = 0; n < gains.size(); ++n) trained.push_back(start[n] - gains[n]);
  return share_beyond_chance(trained, start, windows_of(series), info_of(horizon, series.back() > 0));
}

TEST(ForecastShrinkage, KeepsWhatTheStandardErrorLeaves) {
  EXPECT_NEAR(share_of({3, 1, 3, 1, 3, 1, 3, 1}), 1 - 1 / (7 * 4.0), 1e-12);
  EXPECT_NEAR(share_of({4, -2, 4, -2, 4, -2, 4, -2}), 0, 1e-12);  // m 1, s 3: 7 / 9 of a standard error
  EXPECT_NEAR(share_of({4, -1, 4, -1, 4, -1, 4, -1}), 1 - 6.25 / (7 * 2.25), 1e-12);
  EXPECT_EQ(share_of({-3, -1, -3, -1, -3, -1, -3, -1}), 0);
  EXPECT_EQ(share_of({0, 0, 0, 0}), 0);
  EXPECT_EQ(share_of({2, 2, 2, 2}), 1);  // no doubt
  EXPECT_NEAR(share_of({3, 1, NAN, 3, 1, 3, 1, 3, 1}), 1 - 1 / (7 * 4.0), 1e-12);
}

// Two steps ahead: n = 4, gains 3 1 1 3, variance of the mean (4 + 2 x 1/2 x -1) / 16, correction (4 - 3 + 1/2) / 4.
TEST(ForecastShrinkage, OverlappingWindowsCountLess) {
  EXPECT_NEAR(share_of({3, 1, 1, 3}, 2), 1 - (3.0 / 16) / (4 * 1.5 / 4), 1e-12);
}

TEST(ForecastShrinkage, TooFewWindowsDecideByTheirMean) {
  EXPECT_EQ(share_of({1, -0.5, 1}, 3), 1);
  EXPECT_EQ(share_of({-1, 0.5, -1}, 3), 0);
}

TEST(ForecastShrinkage, ManySeriesAreOneObservationEach) {
  EXPECT_NEAR(share_of({5, 1, 1, 1, 5, 1}, 1, {0, 0, 1, 1, 2, 2}), 1 - (8.0 / 9) / (2 * 49.0 / 9), 1e-12);
}

ForecastData wave_data(const ForecastInfo& info, double missing_at) {
  ForecastData data;
  Series series;
  series.columns = {"x"};
  for (int t = 0; t < 60; ++t) series.values.push_back(t == missing_at ? NAN : std::sin(0.5 * t));
  data.series = data.scaled = {series};
  data.scalers = {Scaler(std::vector<ColumnScaling>(1))};
  data.splits = {split_last(series, 0.3, info.horizon)};
  return data;
}

TEST(ForecastShrinkage, LossesOfWindowsHaveTheLossOfAllAsTheirMean) {
  ForecastInfo info = info_of(3);
  info.scaler = Scaler(std::vector<ColumnScaling>(1));
  for (const char* distribution : {"point", "gaussian"}) {
    info.distribution = distribution;
    Sequential network = random_forecaster(info, "lstm", 5, 1);
    const ForecastData data = wave_data(info, -1);
    const std::vector<WindowAt> windows = validation_windows(data, info);
    TrainOptions options;
    options.loss = "mse";
    double mean = 0;
    for (const double loss : window_losses(network, data, windows, info, options)) {
      mean += loss / static_cast<double>(windows.size());
    }
    EXPECT_NEAR(mean, validation_loss(network, data, windows, info, options)->loss, 1e-5) << distribution;
  }
}

TEST(ForecastShrinkage, AWindowWithNothingKnownHasNoLoss) {
  ForecastInfo info = info_of(1);
  info.scaler = Scaler(std::vector<ColumnScaling>(1));
  Sequential network = random_forecaster(info, "gru", 5, 1);
  const ForecastData data = wave_data(info, 50);
  TrainOptions options;
  options.loss = "mse";
  const std::vector<WindowAt> windows{{0, 49}, {0, 50}};
  const std::vector<double> losses = window_losses(network, data, windows, info, options);
  EXPECT_FALSE(std::isnan(losses[0]));
  EXPECT_TRUE(std::isnan(losses[1]));
}

TEST(ForecastShrinkage, ForecastsLieBetweenTheStartAndTheNetwork) {
  ForecastInfo info = info_of(3);
  info.scaler = Scaler(std::vector<ColumnScaling>(1));
  Sequential network = random_forecaster(info, "lstm", 5, 2);
  const ForecastData data = wave_data(info, -1);
  const std::vector<WindowAt> windows = validation_windows(data, info);
  const std::vector<Tensor> trained_weights = output_weights(network);
  std::vector<Tensor> start = trained_weights;
  for (Tensor& weights : start) weights.fill(0.25F);
  const Tensor trained = predict_windows(network, data.scaled, windows, info);
  keep_share(network, start, 0);
  const Tensor untrained = predict_windows(network, data.scaled, windows, info);
  keep_share(network, trained_weights, 0);
  keep_share(network, start, 0.3);
  const Tensor kept = predict_windows(network, data.scaled, windows, info);
  for (std::int64_t i = 0; i < kept.elements(); ++i) {
    EXPECT_NEAR(kept[i], 0.7 * untrained[i] + 0.3 * trained[i], 1e-5);
    EXPECT_GT(std::abs(trained[i] - untrained[i]), 1e-3);
  }
}

}  // namespace
}  // namespace carousel
