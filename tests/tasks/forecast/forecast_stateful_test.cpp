// Oracles: a Stream of the same network, fed row after row; the loss of the forecasts of all training windows; the
// training windows themselves.
#include "tasks/forecast/forecast_stateful.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "carousel/stream.h"
#include "tasks/forecast/forecast_training.h"
#include "tests/support/expect_error.h"
#include "tests/tasks/forecast/forecast_case.h"

namespace carousel {
namespace {

constexpr std::int64_t kWindow = 6, kHorizon = 3;

ForecastInfo make_info(bool several) {
  ForecastInfo info;
  info.columns = {"a", "b"};
  info.targets = {"b"};
  info.horizon = kHorizon;
  info.window = kWindow;
  info.several = several;
  info.stateful = true;
  if (!several) info.scaler = Scaler({{3, 2}, {-2, 0.5}});
  return info;
}

Series wave(std::int64_t rows, double phase) {
  Series series;
  series.columns = {"a", "b"};
  for (std::int64_t t = 0; t < rows; ++t) {
    series.values.push_back(std::sin(0.7 * static_cast<double>(t) + phase));
    series.values.push_back(std::cos(0.3 * static_cast<double>(t) - phase));
  }
  return series;
}

ForecastData make_data(const std::vector<std::int64_t>& lengths) {
  ForecastData data;
  for (std::size_t k = 0; k < lengths.size(); ++k) {
    data.series.push_back(wave(lengths[k], static_cast<double>(k)));
    data.scaled.push_back(data.series.back());
    data.scalers.push_back(Scaler({{0, 1}, {0, 1}}));
    data.splits.push_back(split_last(data.series.back(), 0.2, kHorizon));
  }
  return data;
}

Sequential make_network(const ForecastInfo& info, const std::string& cell = "lstm") {
  return random_forecaster(info, cell, 5, 2);
}

TEST(StatefulForecast, GivesWhatAStreamGivesRowByRow) {
  const ForecastInfo info = make_info(false);
  Series raw = wave(40, 0.2), scaled = raw;
  for (std::size_t i = 0; i < raw.values.size(); ++i) {
    raw.values[i] = info.scaler.inverse(raw.values[i], static_cast<std::int64_t>(i % 2));
  }
  Model model("forecast", make_network(info));
  std::vector<WindowAt> windows;
  for (const std::int64_t origin : {std::int64_t{40}, kWindow, std::int64_t{7}, std::int64_t{23}})
    windows.push_back({0, origin});  // in any order
  const Tensor got = predict_windows(model.network(), std::span(&scaled, 1), windows, info);
  Stream stream(model);
  for (std::int64_t t = 0; t < 40; ++t) {
    const float x[]{static_cast<float>(raw.at(t, 0)), static_cast<float>(raw.at(t, 1))};
    const std::span<const float> y = stream.step(x);
    for (std::size_t n = 0; n < windows.size(); ++n) {
      if (windows[n].origin != t + 1) continue;
      for (std::int64_t h = 0; h < kHorizon; ++h) {
        const double unscaled = info.scaler.inverse(got[static_cast<std::int64_t>(n) * kHorizon + h], 1);
        EXPECT_NEAR(y[static_cast<std::size_t>(h)], unscaled, 1e-5) << "origin " << t + 1 << ", step " << h;
      }
    }
  }
}

TEST(StatefulForecast, SeriesDoNotTouchEachOther) {
  const ForecastInfo info = make_info(true);
  const ForecastData data = make_data({40, 25, 33});
  Sequential network = make_network(info, "gru");
  const std::vector<WindowAt> windows{{2, 33}, {0, 17}, {1, 25}, {0, 40}};
  const Tensor together = predict_windows(network, data.scaled, windows, info);
  for (std::size_t n = 0; n < windows.size(); ++n) {
    const Tensor alone =
        predict_windows(network, std::span(&data.scaled[static_cast<std::size_t>(windows[n].series)], 1),
                        std::vector<WindowAt>{{0, windows[n].origin}}, info);
    for (std::int64_t h = 0; h < kHorizon; ++h) {
      EXPECT_EQ(alone[h], together[static_cast<std::int64_t>(n) * kHorizon + h]) << n;
    }
  }
}

TEST(StatefulForecast, StretchesHoldEveryTrainingWindowOnce) {
  const ForecastInfo info = make_info(true);
  const ForecastData data = make_data({60, 14, 200});
  for (const std::int64_t batch_size : {1, 4, 32}) {
    std::vector<std::pair<std::int64_t, std::int64_t>> got, expected;
    for (const Stretch& one : training_stretches(data, info, batch_size)) {
      EXPECT_GE(one.begin, 0);
      EXPECT_LE(one.first - one.begin, kWindow);
      for (std::int64_t origin = one.first; origin <= one.end; ++origin) got.emplace_back(one.series, origin);
    }
    for (const WindowAt& at : data.training_windows(info.shape())) expected.emplace_back(at.series, at.origin);
    std::sort(got.begin(), got.end());
    EXPECT_EQ(expected, got) << batch_size;
  }
}

TEST(StatefulForecast, LearnsTheLossOfTheForecastsThatItGives) {
  const ForecastInfo info = make_info(true);
  const ForecastData data = make_data({90, 47});
  Sequential network = make_network(info);
  TrainOptions options;
  options.loss = "mse";
  options.batch_size = 1;  // a stretch for each series, from its beginning
  options.bptt = 10;
  const std::vector<WindowAt> all = data.training_windows(info.shape());
  ASSERT_EQ(2, std::ssize(training_stretches(data, info, options.batch_size)));
  StatefulForecastProblem problem(network, data, info, options);
  double sum = 0;
  Tape<float> tape;
  const std::int64_t batches = problem.batches_in_epoch(0);
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    problem.prepare(0, batch);
    tape.reset();
    const Variable loss = problem.loss(tape, 0, batch);
    sum += loss.item() * static_cast<double>(problem.windows_in_batch());
  }
  const double expected = validation_loss(network, data, all, info, options)->loss;
  EXPECT_NEAR(expected, sum / static_cast<double>(all.size()), 1e-6 * (1 + expected));
}

// Oracle: the loss without noise, which noise must move, and the same noise again.
TEST(StatefulForecast, InputNoiseIsNewInEveryPieceAndEpochAndTheSameEachTime) {
  const ForecastInfo info = make_info(true);
  const ForecastData data = make_data({90, 47});
  Sequential network = make_network(info);
  TrainOptions options;
  options.loss = "mse";
  options.batch_size = 1;
  options.bptt = 10;
  const auto losses = [&](double noise, std::int64_t epoch) {
    options.input_noise = noise;
    StatefulForecastProblem problem(network, data, info, options);
    Tape<float> tape;
    std::vector<double> list(2);
    problem.batches_in_epoch(0);  // the same stretches
    for (std::int64_t batch = 0; batch < 2; ++batch) {
      problem.prepare(epoch, batch);
      tape.reset();
      list[static_cast<std::size_t>(batch)] = problem.loss(tape, epoch, batch).item();
    }
    return list;
  };
  const std::vector<double> quiet = losses(0, 0), noisy = losses(0.5, 0), later = losses(0.5, 1);
  for (std::size_t batch = 0; batch < 2; ++batch) {
    EXPECT_NE(noisy[batch], quiet[batch]) << batch;
    EXPECT_NE(noisy[batch], later[batch]) << batch;
  }
  EXPECT_EQ(noisy, losses(0.5, 0));
}

TEST(StatefulForecast, WhatCannotRunRowByRowIsNamed) {
  const ForecastInfo info = make_info(true);
  Sequential network = make_network(info, "none");
  expect_error(Code::kUsage, {"--stateful"}, [&] { StatefulForecaster{network}; });
}

// Gates stand open where x is 1 and half open elsewhere: counted over the first window - 1 + bptt rows of the stretch.
TEST(StatefulForecast, LogsTheSaturatedGatesOfTheFirstStepsOfAStretch) {
  const ForecastInfo info = make_info(false);
  ForecastData data = make_data({40});
  for (std::int64_t t = 0; t < 40; ++t) {
    data.scaled[0].values[static_cast<std::size_t>(2 * t)] = t < 3 || t >= 9 ? 1 : 0;
    data.scaled[0].values[static_cast<std::size_t>(2 * t + 1)] = 0;
  }
  Sequential network = random_forecaster(info, "lstm", 5, 1);
  TrainOptions options;
  options.batch_size = 1;
  options.bptt = 4;
  StatefulForecastProblem problem(network, data, info, options);
  for (Parameter* parameter : problem.parameters()) {
    parameter->value.fill(parameter->name.find("weight_ih") != std::string::npos ? 20.0f : 0.0f);
  }
  Tape<float> tape;
  const auto shares = problem.gate_saturation(tape);
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(shares[0].first, "l0");
  EXPECT_NEAR(shares[0].second, 3.0 / 9, 1e-6);
}

}  // namespace
}  // namespace carousel
