// Oracle: statsmodels 0.15.0 (ExponentialSmoothing, initialization_method="known") for errors and forecasts with given
// parameters, but for step 4 of those with a season, where it leaves out the last update of the season: that one is by
// the recursion, written out in Python; SciPy 1.17 (differential_evolution over the same bounds on the recursions
// written out) for the smallest sum of squares; recursions by hand.
#include "tasks/baselines/exponential_smoothing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "base/thread_pool.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

constexpr SeasonKind kNone = SeasonKind::kNone, kAdditive = SeasonKind::kAdditive;
constexpr SeasonKind kMultiplicative = SeasonKind::kMultiplicative;

// A trend, a season of 4 that grows, and noise of residues.
std::vector<double> values_of(int count) {
  std::vector<double> values;
  constexpr double kSeason[] = {14, -9, 3, -8};
  for (int t = 0; t < count; ++t) {
    values.push_back(112 + 1.5 * t + kSeason[t % 4] * (1 + 0.01 * t) + (t * 37 % 11 - 5) * 0.9);
  }
  return values;
}

SmoothingState start_of(const SmoothingForm& form) {
  SmoothingState state{.level = 110, .trend = form.trend ? 1.2 : 0};
  if (form.season == kAdditive) state.season = {12, -8, 4, -8};
  if (form.season == kMultiplicative) state.season = {1.1, 0.92, 1.03, 0.95};
  return state;
}

struct Reference {
  SmoothingForm form;
  double squares;                // with alpha 0.3, beta 0.2, gamma 0.25, phi 0.9
  std::vector<double> forecast;  // of six steps after 40 values
  double least;                  // sum of squares
};

const Reference kReferences[] = {
    {{},
     8215.97175447,
     {163.60863677, 163.60863677, 163.60863677, 163.60863677, 163.60863677, 163.60863677},
     8155.615001},
    {{true, false, kNone},
     7748.89157556,
     {167.964864299, 168.794523803, 169.624183307, 170.453842811, 171.283502315, 172.11316182},
     5673.132421},
    {{true, true, kNone},
     7805.5720337,
     {166.266161428, 166.592021874, 166.885296275, 167.149243236, 167.386795501, 167.60059254},
     5727.993193},
    {{false, false, kAdditive},
     1252.00913808,
     {183.932657183, 154.795638202, 172.637639365, 157.354064364, 183.932657183, 154.795638202},
     997.7182806},
    {{true, false, kAdditive},
     659.562502542,
     {187.968250917, 159.876409455, 178.858987171, 164.617203669, 193.350619684, 165.258778221},
     532.3172691},
    {{true, false, kMultiplicative},
     630.04536549,
     {190.627038489, 158.929806942, 179.812759031, 163.946060687, 196.900363774, 164.117332414},
     480.6558108},
    {{true, true, kMultiplicative},
     722.846993073,
     {188.821859241, 156.921035061, 176.900038577, 160.634708417, 191.644712228, 159.0232437},
     503.8148297},
};

TEST(ExponentialSmoothing, ErrorsAndForecastsAreThoseOfStatsmodels) {
  const std::vector<double> values = values_of(40);
  for (const Reference& reference : kReferences) {
    SCOPED_TRACE(reference.form.name());
    SmoothingModel model{reference.form,
                         0.3,
                         reference.form.trend ? 0.2 : 0,
                         reference.form.season == kNone ? 0 : 0.25,
                         reference.form.damped ? 0.9 : 1,
                         start_of(reference.form)};
    EXPECT_NEAR(squared_errors(model, values) / reference.squares, 1, 1e-10);
    SmoothingState state = model.start;
    for (const double value : values) model.update(state, value);
    std::vector<double> forecast;
    for (std::int64_t h = 0; h < 6; ++h) forecast.push_back(model.forecast(state, h));
    expect_near(forecast, reference.forecast, 1e-10, "forecast");
  }
}

TEST(ExponentialSmoothing, FindsTheParametersOfLeastSquares) {
  for (const Reference& reference : kReferences) {
    SCOPED_TRACE(reference.form.name());
    const SmoothingModel model = fit_smoothing(reference.form, start_of(reference.form), values_of(40));
    EXPECT_LT(model.squares / reference.least, 1.001);
    EXPECT_GT(model.squares / reference.least, 1 - 1e-6);
    EXPECT_LE(model.alpha + model.gamma, 1);
  }
}

TEST(ExponentialSmoothing, StartsFromTheLineThroughTheFirstTenAdjustedValues) {
  std::vector<double> values;
  for (int t = 0; t < 24; ++t) values.push_back(50 + 2.0 * (t + 1) + std::vector<double>{6, -1, -5}[t % 3]);
  const SmoothingState state = starting_state({true, false, kAdditive}, values, 3);
  EXPECT_NEAR(state.level, 50, 1e-9);
  EXPECT_NEAR(state.trend, 2, 1e-9);
  expect_near(state.season, std::vector<double>{6, -1, -5}, 1e-9, "season");
}

// Oracle: each series is made by one of the forms.
TEST(ExponentialSmoothing, ChoosesTheFormThatMadeTheSeries) {
  std::vector<double> noise(400), walk(400), growing(400);
  fill_normal({3, Purpose::kTest, 1}, 0.0, 1.0, std::span<double>(noise));
  std::partial_sum(noise.begin(), noise.end(), walk.begin());
  EXPECT_EQ(choose_smoothing(walk, 1).form.name(), "simple");
  for (std::size_t t = 0; t < growing.size(); ++t) {
    growing[t] =
        (200 + 2 * static_cast<double>(t)) * (1 + 0.3 * std::sin(static_cast<double>(t) * 3.14159265358979 / 3)) +
        noise[t];
  }
  const SmoothingModel chosen = choose_smoothing(growing, 6);
  EXPECT_EQ(chosen.form.season, kMultiplicative);
  EXPECT_TRUE(chosen.form.trend);
}

// Oracle: what is left to say about so few values: the recursion with alpha 1/2 by hand.
TEST(ExponentialSmoothing, ShortAndConstantSeriesGetTheSimpleForm) {
  Series series;
  series.columns = {"x"};
  series.values = {4, 8, 2, 6};
  const TrainingSeries training{&series, split_series(series, "3,1").train};
  const auto baseline = exponential_smoothing({&training, 1}, {0}, 4);
  BasicTensor<double> out({4, 1});
  const std::vector<std::int64_t> origins{3, 4};
  baseline->forecast({0, series, origins}, out.view());
  expect_near(out, BasicTensor<double>({4, 1}, std::vector<double>{4, 4, 5, 5}), 1e-12, "forecast");
  EXPECT_EQ(choose_smoothing(std::vector<double>(50, 7.0), 12).start.level, 7);
}

// Oracle: changed values from the end of the training part on; another number of threads.
TEST(ExponentialSmoothing, IsFittedOnTheTrainingPartAlone) {
  Series series;
  series.columns = {"x"};
  series.values = values_of(60);
  const auto forecast_at = [&](std::int64_t origin, int threads) {
    set_threads(threads);
    const TrainingSeries training{&series, split_series(series, "40,20").train};
    BasicTensor<double> out({5, 1});
    exponential_smoothing({&training, 1}, {0}, 4)->forecast({0, series, {&origin, 1}}, out.view());
    return out;
  };
  const BasicTensor<double> before = forecast_at(48, 1);
  for (std::size_t t = 48; t < 60; ++t) series.values[t] = 1e6;
  expect_near(forecast_at(48, 2), before, 0, "forecast");
  EXPECT_GT(forecast_at(49, 1)[0], 1000);  // it goes on with the observed values
  set_threads(0);
}

}  // namespace
}  // namespace carousel
