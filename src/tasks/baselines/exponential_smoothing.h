// exponential_smoothing.h: levels, trends and seasons that follow a series by weighted means of the past (Hyndman and
// Athanasopoulos 2021, chapter 8).
//
// With the forecast y of one step ahead and the errors additive:
//   level   l' = alpha (x - s) + (1 - alpha) (l + phi b)         x / s if the season is multiplicative
//   trend   b' = beta (l' - l) + (1 - beta) phi b
//   season  s' = gamma (x - l - phi b) + (1 - gamma) s           x / (l + phi b)
//   step h  l + (phi + ... + phi^h) b + s                        times s
// A simple one has the level only, Holt's the trend (phi = 1), the damped one 0.8 <= phi <= 0.98, Holt-Winters the
// season.
#pragma once

#include <string>

#include "tasks/baselines/forecast_baselines.h"
#include "tasks/baselines/seasonal_indices.h"

namespace carousel {

// Which components there are.
struct SmoothingForm {
  bool trend = false, damped = false;
  SeasonKind season = SeasonKind::kNone;
  std::string name() const;  // "simple", "Holt", "damped Holt", "Holt-Winters additive", "damped Holt-Winters ..."
};

struct SmoothingState {
  double level = 0, trend = 0;
  std::vector<double> season{};  // in a ring: that of step h is season[(next + h) % season.size()]; empty: none
  std::size_t next = 0;
};

// A form with its numbers. A value object.
struct SmoothingModel {
  SmoothingForm form{};
  double alpha = 0, beta = 0, gamma = 0, phi = 1;
  SmoothingState start{};  // before the first value
  double squares = 0;      // the sum of the squared errors of one step ahead
  double aicc = 0;

  // The forecast of step h (from 0) in a state.
  double forecast(const SmoothingState& state, std::int64_t h) const;
  // Goes on with an observed value.
  void update(SmoothingState& state, double observed) const;
};

// The sum of squared errors of one step ahead over the values; infinite if a multiplicative season meets a level that
// is not above 0.
double squared_errors(const SmoothingModel& model, std::span<const double> values);

// The state before the first value (Hyndman, Koehler, Ord and Snyder 2008, section 2.6.1): the seasonal indices of the
// first seasons, five at most, and the line through the first ten values adjusted by them.
// REQUIRES: 10 values, and two seasons of them if the form has a season.
SmoothingState starting_state(const SmoothingForm& form, std::span<const double> values, std::int64_t season);

// The parameters of least squares, which is maximum likelihood for normal errors, with 0 < alpha, beta < 1,
// 0 < gamma < 1 - alpha and 0.8 < phi < 0.98.
SmoothingModel fit_smoothing(const SmoothingForm& form, SmoothingState start, std::span<const double> values);

// The form with the smallest corrected information criterion (AICc), from starting_state(): seasons need
// season > 1, two seasons and ten values, a multiplicative one values above 0. Less than ten values: the simple form
// with alpha 0.5.
SmoothingModel choose_smoothing(std::span<const double> values, std::int64_t season);

// One model for each series and target.
std::unique_ptr<ForecastBaseline> exponential_smoothing(std::span<const TrainingSeries> series,
                                                        std::vector<std::int64_t> targets, std::int64_t season);

}  // namespace carousel
