// Oracle: the model itself, where its recurrent branch adds nothing; a map worked out by hand.
#include "tasks/forecast/forecast_linear.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tasks/forecast/forecasts.h"
#include "tests/support/expect_near.h"
#include "tests/tasks/forecast/forecast_case.h"

namespace carousel {
namespace {

ForecastInfo info_of(bool recursive) {
  ForecastInfo info;
  info.columns = info.targets = {"a", "b"};
  info.horizon = 3;
  info.window = 5;
  info.by_series = info.several = true;
  info.recursive = recursive;
  info.scaler = Scaler(std::vector<ColumnScaling>(2));
  return info;
}

// Two series, the second one with a gap, all of them held back.
ForecastData data_of_two() {
  ForecastData data;
  for (int k = 0; k < 2; ++k) {
    Series& series = data.series.emplace_back();
    series.columns = {"a", "b"};
    for (int t = 0; t < 30; ++t) {
      series.values.push_back(std::sin(0.7 * t + k));
      series.values.push_back(k == 1 && t == 11 ? NAN : std::cos(0.3 * t - k));
    }
    data.scalers.push_back(Scaler(std::vector<ColumnScaling>(2)));
    data.splits.push_back({{}, {0, 0}, {0, 30}});
  }
  data.scaled = data.series;
  return data;
}

std::vector<WindowAt> windows_of_two() {
  std::vector<WindowAt> windows;
  for (std::int64_t k = 0; k < 2; ++k) {
    for (std::int64_t origin = 5; origin <= 27; ++origin) windows.push_back({k, origin});
  }
  return windows;
}

// What the model forecasts without its recurrent branch, beside linear_start.
void expect_the_model_itself(const ForecastInfo& info, const std::string& strategy) {
  const ForecastData data = data_of_two();
  const std::vector<WindowAt> windows = windows_of_two();
  Model model("forecast", random_forecaster(info, "lstm", 4, 1, strategy));
  const auto baseline = linear_start_baseline(model.network(), info);
  EXPECT_EQ(baseline->name(), "linear_start");
  const Forecasts linear = baseline_forecasts(*baseline, data, windows, info);
  EXPECT_TRUE(linear.scaled);
  const Forecasts whole = model_forecasts(model, data, windows, info);
  double moved = 0;
  for (std::int64_t i = 0; i < whole.point.elements(); ++i) moved += std::abs(whole.point[i] - linear.point[i]);
  EXPECT_GT(moved, 1) << "the recurrent branch adds something";
  for (Linear* layer : output_layers(model.network())) {
    for (Parameter* parameter : layer->parameters()) parameter->value.fill(0);
  }
  expect_near(linear.point, model_forecasts(model, data, windows, info).point, 1e-5, strategy.c_str());
}

TEST(LinearStart, IsTheModelWithoutItsRecurrentBranch) {
  expect_the_model_itself(info_of(false), "direct");
  expect_the_model_itself(info_of(false), "seq2seq");
  expect_the_model_itself(info_of(true), "recursive");
  ForecastInfo gaussian = info_of(false);
  gaussian.distribution = "gaussian";
  gaussian.levels = {0.1, 0.9};
  expect_the_model_itself(gaussian, "direct");
}

TEST(LinearStart, StandsBesideTheModelWhereNoSeriesHasATrainingPart) {
  const ForecastInfo info = info_of(false);
  ForecastData data = data_of_two();
  const Model model("forecast", random_forecaster(info, "lstm", 4, 1));
  const auto names = [&] {
    std::vector<std::string> list;
    for (const auto& baseline : make_forecast_baselines(model, data, info)) list.emplace_back(baseline->name());
    return list;
  };
  EXPECT_EQ(names(),
            (std::vector<std::string>{"last_value", "drift", "mean", "exponential_smoothing", "linear_start"}));
  data.splits[0] = train_on_all(data.series[0]);
  EXPECT_EQ(names().back(), "linear_autoregression");
}

}  // namespace
}  // namespace carousel
