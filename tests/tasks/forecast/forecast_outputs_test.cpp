// Oracles: distributions that the series were made from, whose forecasts are known in closed form; numbers worked by
// hand; the network itself, asked once more about a series that a path was appended to.
#include "tasks/forecast/forecast_outputs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "base/random.h"
#include "tasks/forecast/distributions.h"
#include "tasks/forecast/forecast.h"
#include "tasks/forecast/forecast_ensemble.h"
#include "tasks/forecast/forecast_metrics.h"
#include "tasks/forecast/forecast_paths.h"
#include "tasks/forecast/forecast_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/tasks/forecast/forecast_case.h"

namespace carousel {
namespace {

constexpr std::int64_t kSeason = 12;

double phase_of(std::int64_t t) { return 2 * std::numbers::pi * static_cast<double>(t % kSeason) / kSeason; }

// A series and, for `steps` ahead of an origin, the quantile function of the value that comes.
struct Known {
  std::vector<double> values;
  std::function<double(std::int64_t origin, std::int64_t step, double level)> quantile;
};

std::vector<double> normal_numbers(std::size_t count, std::uint64_t stream) {
  std::vector<double> numbers(count);
  fill_normal({17, Purpose::kTest, stream}, 0.0, 1.0, std::span<double>(numbers));
  return numbers;
}

// A seasonal autoregression, (1 - 0.6 B)(1 - 0.8 B^12) x_t = e_t with B the step back: x_t is 0.6 x_(t-1) +
// 0.8 x_(t-12) - 0.48 x_(t-13) + e_t. At step h, normal: the mean is the recursion without e, the variance the sum of
// psi_0^2 .. psi_(h-1)^2, where psi is the recursion's answer to a single 1.
Known autoregressive(std::int64_t rows) {
  const auto next = [](const std::vector<double>& x) {
    const auto back = [&](std::size_t lag) { return x.size() < lag ? 0 : x[x.size() - lag]; };
    return 0.6 * back(1) + 0.8 * back(kSeason) - 0.48 * back(kSeason + 1);
  };
  const std::vector<double> noise = normal_numbers(static_cast<std::size_t>(rows), 1);
  Known known;
  for (const double e : noise) known.values.push_back(next(known.values) + e);
  known.quantile = [=, x = known.values](std::int64_t origin, std::int64_t step, double level) {
    std::vector<double> path(x.begin() + origin - kSeason - 1, x.begin() + origin), psi{1};
    double variance = 1;
    for (std::int64_t h = 0; h <= step; ++h) path.push_back(next(path));
    for (std::int64_t h = 1; h <= step; ++h) {
      psi.push_back(next(psi));
      variance += psi.back() * psi.back();
    }
    return path.back() + std::sqrt(variance) * normal_quantile(level);
  };
  return known;
}

// 4 sin(phase) + d e with a deviation d that swings between 0.4 and 1.6 with the phase.
Known heteroscedastic(std::int64_t rows) {
  const auto deviation = [](std::int64_t t) { return 1 + 0.6 * std::cos(phase_of(t)); };
  const std::vector<double> noise = normal_numbers(static_cast<std::size_t>(rows), 2);
  Known known;
  for (std::int64_t t = 0; t < rows; ++t) {
    known.values.push_back(4 * std::sin(phase_of(t)) + deviation(t) * noise[static_cast<std::size_t>(t)]);
  }
  known.quantile = [deviation](std::int64_t origin, std::int64_t step, double level) {
    return 4 * std::sin(phase_of(origin + step)) + deviation(origin + step) * normal_quantile(level);
  };
  return known;
}

// Counts with mean 30 + 20 sin(phase) and dispersion 0.1.
Known counts(std::int64_t rows) {
  Known known;
  known.quantile = [](std::int64_t origin, std::int64_t step, double level) {
    return negative_binomial_quantile(level, 30 + 20 * std::sin(phase_of(origin + step)), 0.1);
  };
  for (std::int64_t t = 0; t < rows; ++t) {
    const double level = uniform({17, Purpose::kTest, 3}, static_cast<std::uint64_t>(t)) + 0x1p-25;
    known.values.push_back(known.quantile(t, 0, level));
  }
  return known;
}

struct Score {
  double crps = 0, coverage = 0;
};

// Of the true quantiles, over every origin of the last `rows` rows.
Score true_score(const Known& known, std::int64_t rows, std::int64_t horizon) {
  std::vector<double> levels;
  for (int k = 1; k < 200; ++k) levels.push_back(k / 200.0);
  double crps = 0, count = 0, inside = 0;
  const std::int64_t end = std::ssize(known.values);
  for (std::int64_t origin = end - rows; origin + horizon <= end; ++origin) {
    for (std::int64_t h = 0; h < horizon; ++h) {
      std::vector<double> quantiles;
      for (const double level : levels) quantiles.push_back(known.quantile(origin, h, level));
      const double actual = known.values[static_cast<std::size_t>(origin + h)];
      count += 1;
      inside += known.quantile(origin, h, 0.1) <= actual && actual <= known.quantile(origin, h, 0.9);
      crps += crps_from_quantiles(levels, quantiles, actual);
    }
  }
  return {crps / count, inside / count};
}

std::string table_of(const std::vector<double>& values) {
  std::string text = "y\n";
  for (const double value : values) text += fmt::format("{:.9g}\n", value);
  return text;
}

constexpr std::int64_t kTestRows = 4000;

// Trains on all but the last kTestRows rows and scores every origin of those.
Score trained_score(const Known& known, Options options) {
  const TemporaryFolder folder;
  put_file(folder / "y.csv", table_of(known.values));
  const std::int64_t before = std::ssize(known.values) - kTestRows;
  options.data.data = {folder / "y.csv"};
  options.data.split = fmt::format("{},{},{}", before - 300, 300, kTestRows);
  options.data.season = kSeason;
  options.output.out = folder / "y.safetensors";
  options.model.hidden_size = 16;
  options.model.dropout = 0;
  options.train.batch_size = 32;
  Observer quiet;
  forecast_task().train(options, quiet);
  options.data.backtest = true;
  const EvaluateResult result = forecast_task().evaluate(Model::load(options.output.out), options, quiet);
  return {*find_metric(result.metrics, "crps"), *find_metric(result.metrics, "coverage_80")};
}

// Issue 6: coverage of the 80 % interval within 2 points, CRPS within 3 % of the true distribution's.
void expect_close(const Score& got, const Score& truth) {
  EXPECT_NEAR(got.coverage, 0.8, 0.02);
  EXPECT_NEAR(got.coverage, truth.coverage, 0.02);
  EXPECT_LT(got.crps, 1.03 * truth.crps);
  EXPECT_GT(got.crps, 0.99 * truth.crps);  // nobody beats the truth
}

Options asking(const std::string& distribution, std::int64_t horizon, std::int64_t epochs) {
  Options options;
  options.data.window = 2 * kSeason;
  options.model.distribution = distribution;
  options.data.horizon = horizon;
  options.train.epochs = epochs;
  options.train.lr = 1e-3;
  return options;
}

TEST(ForecastOutputs, KnownNoiseIsForecastAsItIs) {
  const Known known = autoregressive(10500);
  const Score truth = true_score(known, kTestRows, 3);
  for (const char* distribution : {"point", "quantile", "gaussian", "student_t"}) {
    SCOPED_TRACE(distribution);
    expect_close(trained_score(known, asking(distribution, 3, 1)), truth);
  }
}

TEST(ForecastOutputs, NoiseThatChangesIsLearnt) {
  const Known known = heteroscedastic(16000);
  const Score truth = true_score(known, kTestRows, 2);
  Options options = asking("gaussian", 2, 4);
  options.train.lr = 3e-3;
  options.data.window = 8 * kSeason;  // fewer values would leave the season in doubt
  expect_close(trained_score(known, options), truth);
}

TEST(ForecastOutputs, CountsAreForecastAsTheyAre) {
  const Known known = counts(16000);
  const Score truth = true_score(known, kTestRows, 2);
  Options options = asking("negative_binomial", 2, 1);
  options.data.window = 8 * kSeason;
  const Score got = trained_score(known, options);
  EXPECT_NEAR(got.coverage, truth.coverage, 0.02);  // of whole numbers, more than 0.8
  EXPECT_LT(got.crps, 1.03 * truth.crps);
  EXPECT_GT(got.crps, 0.99 * truth.crps);
}

// DeepAR: one step at a time, samples fed back.
TEST(ForecastOutputs, SampledPathsSpreadAsTheTruthDoes) {
  const Known known = autoregressive(10500);
  Options options = asking("gaussian", 4, 1);
  options.model.strategy = "recursive";
  expect_close(trained_score(known, options), true_score(known, kTestRows, 4));
}

// Oracle: worked by hand; 9 errors have rank p (n + 1) = 1 .. 9 at the levels 0.1 .. 0.9.
TEST(ForecastOutputs, ResidualsBecomeQuantiles) {
  ForecastInfo info;
  info.columns = info.targets = {"y"};
  info.horizon = 2;
  info.levels = {0.05, 0.1, 0.25, 0.5, 0.9};
  ForecastData data;
  Series series;
  series.columns = {"y"};
  std::vector<WindowAt> windows;
  Forecasts forecasts{BasicTensor<double>({9, 2}), {}, {}};
  for (std::int64_t n = 0; n < 9; ++n) {
    windows.push_back({0, 2 * n});
    forecasts.point[2 * n] = 100;
    forecasts.point[2 * n + 1] = 50;
    series.values.push_back(100 + static_cast<double>((n * 4) % 9));  // errors 0 .. 8 in some order
    series.values.push_back(n == 4 ? NAN : 50 - static_cast<double>(n));
  }
  data.scaled = {series};
  Observer quiet;
  ResidualQuantiles shared = fit_residuals(forecasts, data, windows, info, quiet);
  EXPECT_EQ(shared.steps, 2);  // 9 errors a step are few: both steps share 17
  EXPECT_EQ(std::ssize(shared.values), 5);
  // Sorted: -8 -7 -6 -5 -3 -2 -1 0 0 1 2 3 4 5 6 7 8; ranks 18 p = 0.9 (the first), 1.8, 4.5, 9, 16.2.
  const std::vector<double> expected{-8, -7.2, -4, 0, 7.2};
  for (std::size_t q = 0; q < expected.size(); ++q) EXPECT_NEAR(shared.values[q], expected[q], 1e-12) << q;
}

// Oracle: the definition: lines between the levels, and an error beyond them.
TEST(ForecastOutputs, OtherLevelsLieBetween) {
  Forecasts forecasts{BasicTensor<double>({1, 1}), {0.2, 0.6}, BasicTensor<double>({1, 1, 2})};
  forecasts.quantiles[0] = 1;
  forecasts.quantiles[1] = 5;
  EXPECT_DOUBLE_EQ(at_levels(forecasts, {0.3}).quantiles[0], 2);
  expect_error(Code::kUsage, {"0.7", "from 0.2 to 0.6"}, [&] { at_levels(forecasts, {0.3, 0.7}); });
}

// Oracle: worked by hand; with a member that has no quantiles there are none.
TEST(ForecastOutputs, EnsemblesAreMeansOfPointsAndQuantiles) {
  Forecasts a{BasicTensor<double>({1, 2}, std::vector<double>{1, 1}), {0.2, 0.6}, BasicTensor<double>({1, 2, 2})};
  Forecasts b{BasicTensor<double>({1, 2}, std::vector<double>{4, 5}), {0.2, 0.6}, BasicTensor<double>({1, 2, 2})};
  for (std::int64_t i = 0; i < 4; ++i) a.quantiles[i] = static_cast<double>(i);
  b.quantiles.fill(10);
  const Forecasts mean = averaged(std::vector<Forecasts>{a, b});
  EXPECT_DOUBLE_EQ(mean.point[0], 2.5);
  EXPECT_DOUBLE_EQ(mean.point[1], 3);
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(mean.quantiles[i], 5 + 0.5 * static_cast<double>(i));
  b.levels.clear();
  EXPECT_TRUE(averaged(std::vector<Forecasts>{a, b}).levels.empty());
}

ForecastInfo stateful_info(const std::string& distribution) {
  ForecastInfo info;
  info.columns = info.targets = {"a", "b"};
  info.window = 5;
  info.horizon = 4;
  info.distribution = distribution;
  info.recursive = info.stateful = info.several = true;
  info.levels = default_levels();
  return info;
}

// `numbered`: with the column of numbers of the series.
ForecastData two_series(bool numbered = false) {
  ForecastData data;
  for (const std::int64_t rows : {20, 13}) {
    Series series;
    series.columns = {"a", "b"};
    const std::vector<double> drawn =
        normal_numbers(static_cast<std::size_t>(2 * rows), static_cast<std::uint64_t>(rows));
    if (numbered) series.columns.emplace_back("series");
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      series.values.push_back(drawn[i]);
      if (numbered && i % 2 == 1) series.values.push_back(rows == 20 ? 0 : 1);
    }
    data.scaled.push_back(series);
    data.scalers.push_back(Scaler({{0, 1}, {0, 1}}));
  }
  return data;
}

// Oracle: another road: the path is appended to its series and the network reads all of it from the beginning; the
// quantile at the same random number is the path's next value.
TEST(SampledPaths, FollowFromTheNetworkStepByStep) {
  for (const char* distribution : {"gaussian", "student_t", "quantile", "point", "point with series embedding"}) {
    const bool numbered = std::string(distribution).ends_with("embedding");
    ForecastInfo info = stateful_info(numbered ? "point" : distribution);
    if (numbered) {
      info.derived.series = {"p", "q"};
      info.columns.emplace_back("series");
    }
    const ForecastInfo one = info.of_network();
    const ForecastData data = two_series(numbered);
    Sequential network = random_forecaster(info, "lstm", 4, 2);
    const std::vector<WindowAt> windows{{0, 20}, {1, 9}, {1, 13}};
    const std::int64_t paths = info.distribution == "point" ? 1 : 3;
    const BasicTensor<double> all = sample_paths(network, data, windows, info, paths, 5);
    const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
    const std::int64_t width = network_outputs(one) / 2;
    for (std::int64_t row = 0; row < 3 * paths; ++row) {
      const WindowAt& window = windows[static_cast<std::size_t>(row / paths)];
      Series series = data.scaled[static_cast<std::size_t>(window.series)];
      series.values.resize(static_cast<std::size_t>(series.column_count() * window.origin));
      for (std::int64_t h = 0; h < 4; ++h) {
        const WindowAt end[]{{0, window.origin + h}};
        const Tensor x = predict_windows(network, std::span(&series, 1), end, one);
        for (std::int64_t k = 0; k < 2; ++k) {
          std::vector<double> numbers;
          for (std::int64_t p = 0; p < width; ++p) numbers.push_back(x[p * 2 + k]);
          const auto index = static_cast<std::uint64_t>((row * 4 + h) * 2 + k);
          const double level = uniform({5, Purpose::kSample, 0}, index) + 0x1p-25;
          const double expected = head ? head->quantile(numbers, {}, level) : numbers[0];
          const double got = all[(row * 4 + h) * 2 + k];
          ASSERT_NEAR(got, expected, 1e-4 * std::max(1.0, std::abs(expected))) << distribution << row << " step " << h;
          series.values.push_back(got);
        }
        if (numbered) series.values.push_back(static_cast<double>(window.series));
      }
    }
  }
}

// Oracle: the contract: all columns must be targets, and the network must be able to carry a state.
TEST(SampledPaths, NeedAllColumns) {
  ForecastInfo info = stateful_info("gaussian");
  Sequential network = random_forecaster(info, "lstm", 4, 2);
  info.targets = {"b"};
  expect_error(Code::kUsage, {"--strategy recursive", "1 of 2 columns"}, [&] {
    sample_paths(network, two_series(), std::vector<WindowAt>{{0, 20}}, info, 2, 1);
  });
}

}  // namespace
}  // namespace carousel
