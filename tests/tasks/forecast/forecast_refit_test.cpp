// Oracles: the model itself, where the rows before an origin are those that it was trained on; the same forecasts with
// other values behind the origins; a law that changes, whose noise is known.
#include "tasks/forecast/forecast_refit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "tasks/forecast/forecast.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

// x(t) = a x(t - 1) + e with e of deviation 1: a = 0.9 in the first half, -0.9 in the second.
std::vector<double> changing_law(std::int64_t rows) {
  std::vector<double> e(static_cast<std::size_t>(rows)), x{0};
  fill_normal({3, Purpose::kTest, 1}, 0.0, 1.0, std::span<double>(e));
  for (std::int64_t t = 1; t < rows; ++t) {
    x.push_back((t < rows / 2 ? 0.9 : -0.9) * x.back() + e[static_cast<std::size_t>(t)]);
  }
  return x;
}

class ForecastRefit : public testing::Test {
 protected:
  void write(const std::vector<double>& values) {
    std::string text = "y\n";
    for (const double value : values) text += fmt::format("{:.9g}\n", value);
    put_file(path_, text);
  }
  void train(const std::string& split, std::int64_t epochs = 3) {
    options_.data.data = {path_};
    options_.data.split = split;
    options_.data.window = 4;
    options_.data.horizon = options_.data.season = 1;
    options_.model.hidden_size = 4;
    options_.train.epochs = epochs;
    options_.output.out = folder_ / "y.safetensors";
    Observer quiet;
    forecast_task().train(options_, quiet);
    model_ = Model::load(options_.output.out);
    info_ = ForecastInfo::from_model(*model_);
  }
  ForecastData read() const { return read_series_for_model({path_}, options_.data, info_, Parts::kAsTrained); }
  Forecasts refitted(const std::vector<std::int64_t>& origins, const RefitOptions& refit) const {
    std::vector<WindowAt> windows;
    for (const std::int64_t origin : origins) windows.push_back({0, origin});
    Observer quiet;
    return refitted_model_forecasts(*model_, read(), windows, info_, refit, quiet);
  }
  double rmse(const std::vector<double>& values, const std::vector<std::int64_t>& origins, const Forecasts& forecasts) {
    double squares = 0;
    for (std::size_t n = 0; n < origins.size(); ++n) {
      const double forecast = info_.scaler.inverse(forecasts.point[static_cast<std::int64_t>(n)], 0);
      squares += std::pow(values[static_cast<std::size_t>(origins[n])] - forecast, 2);
    }
    return std::sqrt(squares / static_cast<double>(origins.size()));
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "y.csv";
  Options options_;
  std::optional<Model> model_;
  ForecastInfo info_;
};

TEST_F(ForecastRefit, OnTheRowsOfTrainingIsTheModelItself) {
  write(changing_law(400));
  options_.train.schedule = "constant";
  options_.train.lr = 3e-4;
  for (const bool stateful : {false, true}) {
    options_.model.stateful = stateful;
    train("150,30");
    ASSERT_GT(info_.kept_epochs, 0);
    const std::vector<WindowAt> first{{0, 150}};
    const Forecasts model = model_forecasts(*model_, read(), first, info_);
    for (const bool sliding : {false, true}) {
      const Forecasts again = refitted({150}, {sliding, 1});
      EXPECT_EQ(again.point[0], model.point[0]) << stateful << sliding;
      EXPECT_EQ(again.levels, model.levels);
      EXPECT_EQ(again.quantiles[3], model.quantiles[3]);
    }
    EXPECT_NE(refitted({151}, {false, 1}).point[0],
              model_forecasts(*model_, read(), std::vector<WindowAt>{{0, 151}}, info_).point[0]);
  }
}

TEST_F(ForecastRefit, FollowsTheScheduleOfAllEpochsUpToThoseThatWereKept) {
  write(changing_law(400));
  options_.train.schedule = "cosine";
  options_.train.lr = 0.05;
  train("150,30", 20);
  ASSERT_GT(info_.kept_epochs, 0);
  ASSERT_LT(info_.kept_epochs, 20);
  const Forecasts model = model_forecasts(*model_, read(), std::vector<WindowAt>{{0, 150}}, info_);
  EXPECT_EQ(refitted({150}, {false, 1}).point[0], model.point[0]);
}

// Against the settings that docs/results.md was measured with, and the rows of all epochs together for long series.
TEST(StatefulDefaults, AreManyPassesOverFewRowsAndFewOverMany) {
  const TrainDefaults small = stateful_defaults(1974, 64), middle = stateful_defaults(9990, 64);
  for (const TrainDefaults& one : {small, middle}) {
    EXPECT_EQ(one.epochs, 100);
    EXPECT_EQ(one.patience, 100);
    EXPECT_EQ(one.lr, 3e-3);
    EXPECT_EQ(one.schedule, "cosine");
  }
  EXPECT_EQ(small.batch_size, 7);
  EXPECT_EQ(middle.batch_size, 8);
  EXPECT_EQ(stateful_defaults(100'000, 64).epochs, 30);
  EXPECT_EQ(stateful_defaults(100'000, 64).patience, 30);
  EXPECT_EQ(stateful_defaults(4'000'000, 64).epochs, 10);
  EXPECT_EQ(stateful_defaults(10, 64).batch_size, 1);
}

TEST_F(ForecastRefit, NoForecastKnowsAValueBehindItsOrigin) {
  std::vector<double> values = changing_law(240);
  write(values);
  train("150,30");
  const std::vector<std::int64_t> origins{180, 190, 200, 210};
  for (const std::int64_t every : {1, 2}) {
    const Forecasts before = refitted(origins, {true, every});
    std::vector<double> changed = values;
    for (std::size_t t = 200; t < changed.size(); ++t) changed[t] = 50 - 3 * changed[t];
    write(changed);
    const Forecasts after = refitted(origins, {true, every});
    for (std::int64_t n = 0; n < 3; ++n) EXPECT_EQ(before.point[n], after.point[n]) << n;
    EXPECT_NE(before.point[3], after.point[3]);
    write(values);
  }
}

TEST_F(ForecastRefit, RecoversWhereTheLawChanges) {
  const std::vector<double> values = changing_law(800);
  write(values);
  train("300,60");
  std::vector<std::int64_t> origins;
  std::vector<WindowAt> windows;
  for (std::int64_t origin = 720; origin < 800; ++origin) {
    origins.push_back(origin);
    windows.push_back({0, origin});
  }
  const double fixed = rmse(values, origins, model_forecasts(*model_, read(), windows, info_));
  const double sliding = rmse(values, origins, refitted(origins, {true, 40}));
  const double expanding = rmse(values, origins, refitted(origins, {false, 40}));
  EXPECT_GT(fixed, 2.5);    // errors of 1.8 x(t - 1) and the noise, x having a deviation of 2.3
  EXPECT_LT(sliding, 1.2);  // the noise is 1
  EXPECT_LT(expanding, fixed);
  EXPECT_GT(expanding, sliding);  // half of its rows follow the old law
}

TEST_F(ForecastRefit, AModelThatDoesNotSayHowItWasTrainedIsRefused) {
  write(changing_law(240));
  train("150,30");
  info_.training = {};
  expect_error(Code::kUsage, {"--refit-model", "how it was trained"}, [&] { refitted({180}, {}); });
  info_ = ForecastInfo::from_model(*model_);
  info_.by_series = true;
  expect_error(Code::kUsage, {"--refit-model", "--valid"}, [&] { refitted({180}, {}); });
}

}  // namespace
}  // namespace carousel
