// Oracle: series made with a known period (or none), and the closed form of the autocorrelation of a short one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/random.h"
#include "data/series/season.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

struct Recipe {
  std::int64_t steps, period;
  double noise, slope = 0, wander = 0;
};

// sin of the period + slope t + noise + a random walk.
Series made(const Recipe& recipe) {
  Series series;
  series.columns = {"x"};
  std::vector<double> noise(static_cast<std::size_t>(recipe.steps)), walk(noise.size());
  fill_normal({3, Purpose::kTest, 1}, 0.0, 1.0, std::span<double>(noise));
  fill_normal({3, Purpose::kTest, 2}, 0.0, 1.0, std::span<double>(walk));
  double position = 0;
  for (std::int64_t t = 0; t < recipe.steps; ++t) {
    const auto at = static_cast<std::size_t>(t);
    position += recipe.wander * walk[at];
    const double phase = recipe.period == 0 ? 0 : static_cast<double>(t) / static_cast<double>(recipe.period);
    series.values.push_back(std::sin(2 * std::numbers::pi * phase) + recipe.slope * static_cast<double>(t) +
                            recipe.noise * noise[at] + position);
  }
  return series;
}

std::int64_t season_of(const Series& series) { return detect_season(series, 0, train_on_all(series).train); }

TEST(Season, AutocorrelationIsItsFormula) {
  // 1 2 3 4 about 2.5: -1.5 -0.5 0.5 1.5; squares 5; lag 1: 0.75 - 0.25 + 0.75; lag 2: -0.75 - 0.75; lag 3: -2.25.
  expect_near(autocorrelation(std::vector<double>{1, 2, 3, 4}, 3), std::vector<double>{1, 0.25, -0.3, -0.45}, 1e-15,
              "r");
  EXPECT_EQ(autocorrelation(std::vector<double>{7, 7, 7}, 1), (std::vector<double>{0, 0}));
}

TEST(Season, KnownPeriodsAreFoundThroughNoiseAndTrend) {
  EXPECT_EQ(season_of(made({400, 24, 0.3})), 24);
  EXPECT_EQ(season_of(made({200, 12, 0.3, 0.1})), 12);
  EXPECT_EQ(season_of(made({300, 7, 0.2, -0.05})), 7);
  EXPECT_EQ(season_of(made({900, 37, 0.1})), 37);  // no usual one
}

TEST(Season, ThePeriodIsFoundBehindAWanderingLevel) {
  Series series = made({2000, 24, 0.02, 0, 0.12});
  std::vector<std::string> times;
  for (int t = 0; t < 2000; ++t) times.push_back(fmt::format("2020-01-{:02} {:02}:00", 1 + t / 24 % 31, t % 24));
  series.times = TimeAxis(times);
  EXPECT_EQ(season_of(series), 24);
}

TEST(Season, NoiseTrendsAndWalksHaveNone) {
  EXPECT_EQ(season_of(made({500, 0, 1})), 1);
  EXPECT_EQ(season_of(made({500, 0, 0.1, 1})), 1);
  EXPECT_EQ(season_of(made({500, 0, 0, 0, 1})), 1);
  EXPECT_EQ(season_of(made({500, 0, 0})), 1);  // constant
  EXPECT_EQ(season_of(made({4, 2, 0})), 1);    // too short
}

TEST(Season, ATimeColumnMakesAWeakPeriodConvincing) {
  Series series = made({120, 12, 1.1});
  EXPECT_EQ(season_of(series), 1);
  std::vector<std::string> times;
  for (int t = 0; t < 120; ++t) times.push_back(fmt::format("{}-{:02}", 1950 + t / 12, 1 + t % 12));
  series.times = TimeAxis(times);
  EXPECT_EQ(season_of(series), 12);
}

TEST(Season, OnlyTheTrainingPartIsLookedAt) {
  Series series = made({600, 24, 0.1});
  const Series other = made({600, 7, 0.1});
  for (std::size_t t = 300; t < 600; ++t) series.values[t] = 50 * other.values[t];
  EXPECT_EQ(detect_season(series, 0, split_series(series, "300,300").train), 24);
}

TEST(Season, OfSeveralColumnsIsTheOneMostOfThemHave) {
  Series series;
  series.columns = {"a", "b", "c"};
  const Series day = made({500, 24, 0.1}), odd = made({500, 10, 0.1});
  for (std::size_t t = 0; t < 500; ++t) {
    series.values.insert(series.values.end(), {day.values[t], odd.values[t], 2 * day.values[t]});
  }
  EXPECT_EQ(detect_season(series, std::vector<std::int64_t>{0, 1, 2}, train_on_all(series).train), 24);
  EXPECT_EQ(detect_season(series, std::vector<std::int64_t>{1}, train_on_all(series).train), 10);
}

}  // namespace
}  // namespace carousel
