#include "tasks/baselines/forecast_baselines.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "tasks/baselines/lagged_moments.h"
#include "tasks/baselines/ridge.h"

namespace carousel {
namespace {

class LastValue final : public ForecastBaseline {
 public:
  explicit LastValue(std::vector<std::int64_t> targets) : targets_(std::move(targets)) {}
  std::string_view name() const override { return "last_value"; }
  std::int64_t history() const override { return 1; }
  void forecast(View<const double> history, View<double> out) const override {
    const double* last = history.row(history.shape.rows() - 1);
    for (std::int64_t h = 0; h < out.shape.rows(); ++h) {
      for (std::size_t k = 0; k < targets_.size(); ++k) out.row(h)[k] = last[targets_[k]];
    }
  }

 private:
  std::vector<std::int64_t> targets_;
};

class Seasonal final : public ForecastBaseline {
 public:
  Seasonal(std::vector<std::int64_t> targets, std::int64_t season) : targets_(std::move(targets)), season_(season) {}
  std::string_view name() const override { return "seasonal"; }
  std::int64_t history() const override { return season_; }
  void forecast(View<const double> history, View<double> out) const override {
    const std::int64_t rows = history.shape.rows();
    for (std::int64_t h = 0; h < out.shape.rows(); ++h) {
      const std::int64_t same_phase = rows - season_ + h % season_;
      const double* row = history.row(same_phase >= 0 ? same_phase : rows - 1);
      for (std::size_t k = 0; k < targets_.size(); ++k) out.row(h)[k] = row[targets_[k]];
    }
  }

 private:
  std::vector<std::int64_t> targets_;
  std::int64_t season_;
};

// One linear map and what it reads and gives.
struct Piece {
  LagColumns columns;
  LinearMap map;
};

class LinearAutoregression final : public ForecastBaseline {
 public:
  LinearAutoregression(AutoregressionOptions options, std::vector<Piece> pieces)
      : options_(std::move(options)), pieces_(std::move(pieces)) {}
  std::string_view name() const override { return "linear_autoregression"; }
  std::int64_t history() const override { return options_.window; }

  void forecast(View<const double> history, View<double> out) const override {
    const std::int64_t rows = history.shape.rows(), window = options_.window;
    if (rows < window) {
      fail(Code::kUsage, "linear_autoregression: {} rows of history, expected the window of {}", rows, window);
    }
    std::int64_t target = 0;
    for (const Piece& piece : pieces_) {
      const LagColumns& columns = piece.columns;
      std::vector<double> x, y(piece.map.intercept.size());
      for (std::int64_t t = rows - window; t < rows; ++t) {
        for (std::int64_t c : columns.inputs) {
          const auto at = static_cast<std::size_t>(c);
          x.push_back((history.row(t)[c] - columns.mean[at]) / columns.deviation[at]);
        }
      }
      piece.map.apply(x, y);
      const auto width = static_cast<std::int64_t>(columns.outputs.size());
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(y.size()); ++i) {
        const auto at = static_cast<std::size_t>(columns.outputs[static_cast<std::size_t>(i % width)]);
        out.row(i / width)[target + i % width] =
            y[static_cast<std::size_t>(i)] * columns.deviation[at] + columns.mean[at];
      }
      target += width;
    }
  }

 private:
  AutoregressionOptions options_;
  std::vector<Piece> pieces_;  // either one for all targets, or one per target
};

// Mean and deviation of every column over the training parts of all series.
LagColumns scaling_of(std::span<const TrainingSeries> series) {
  LagColumns columns;
  const std::int64_t width = series[0].series->column_count();
  for (std::int64_t c = 0; c < width; ++c) {
    double count = 0, sum = 0, squares = 0;
    const auto for_each_value = [&](const auto& use) {
      for (const TrainingSeries& one : series) {
        for (std::int64_t t = one.training.begin(); t < one.training.end(); ++t) {
          if (!std::isnan(one.series->at(t, c))) use(one.series->at(t, c));
        }
      }
    };
    for_each_value([&](double value) {
      sum += value;
      ++count;
    });
    const double mean = sum / count;
    for_each_value([&](double value) { squares += (value - mean) * (value - mean); });
    const double deviation = std::sqrt(squares / count);
    columns.mean.push_back(mean);
    columns.deviation.push_back(deviation > 1e-13 * std::abs(mean) ? deviation : 1.0);
  }
  return columns;
}

struct Candidate {
  std::vector<Piece> pieces;
  double error = 0;  // on the last fifths, the mean squared error in standard deviations, summed over the outputs
};

// Adds the map of these columns to the candidate.
void add_piece(std::span<const TrainingSeries> series, const AutoregressionOptions& options, LagColumns columns,
               Candidate& candidate) {
  Moments fit, check, whole;
  for (const TrainingSeries& one : series) {
    const std::int64_t first = one.training.begin() + options.window;
    const std::int64_t last = one.training.end() - options.horizon;
    // The targets of the windows fitted on end before those of the windows checked on begin.
    const std::int64_t border = one.training.end() - one.training.size() / 5;
    const auto moments = [&](std::int64_t from, std::int64_t to) {
      return lagged_moments(*one.series, columns, {options.window, options.horizon, from, to});
    };
    whole = combined(whole, moments(first, last));
    fit = combined(fit, moments(first, std::min(last, border - options.horizon)));
    check = combined(check, moments(std::max(first, border), last));
  }
  const PenaltyChoice choice = choose_penalty(fit, check);
  candidate.error += choice.error;
  candidate.pieces.push_back({std::move(columns), fit_ridge(whole, choice.penalty)});
}

Candidate own_past(std::span<const TrainingSeries> series, const AutoregressionOptions& options,
                   const LagColumns& scaling) {
  Candidate candidate;
  for (std::int64_t target : options.targets) {
    LagColumns columns = scaling;
    columns.inputs = columns.outputs = {target};
    add_piece(series, options, std::move(columns), candidate);
  }
  return candidate;
}

Candidate all_columns(std::span<const TrainingSeries> series, const AutoregressionOptions& options,
                      const LagColumns& scaling) {
  Candidate candidate;
  LagColumns columns = scaling;
  columns.inputs.resize(scaling.mean.size());
  std::iota(columns.inputs.begin(), columns.inputs.end(), 0);
  columns.outputs = options.targets;
  add_piece(series, options, std::move(columns), candidate);
  return candidate;
}

}  // namespace

std::unique_ptr<ForecastBaseline> last_value_baseline(std::vector<std::int64_t> targets) {
  return std::make_unique<LastValue>(std::move(targets));
}

std::unique_ptr<ForecastBaseline> seasonal_baseline(std::vector<std::int64_t> targets, std::int64_t season) {
  if (season < 1) fail(Code::kUsage, "season is {}, expected at least 1", season);
  return std::make_unique<Seasonal>(std::move(targets), season);
}

std::unique_ptr<ForecastBaseline> linear_autoregression(std::span<const TrainingSeries> series,
                                                        const AutoregressionOptions& options) {
  const bool fits = std::any_of(series.begin(), series.end(), [&](const TrainingSeries& one) {
    return one.training.size() >= options.window + options.horizon;
  });
  if (!fits) return nullptr;
  const LagColumns scaling = scaling_of(series);
  Candidate best = own_past(series, options, scaling);
  const auto width = static_cast<std::int64_t>(scaling.mean.size());
  if (width > 1 && options.window * width <= options.largest) {
    Candidate all = all_columns(series, options, scaling);
    if (all.error < best.error) best = std::move(all);
  }
  return std::make_unique<LinearAutoregression>(options, std::move(best.pieces));
}

void forecast_at(const ForecastBaseline& baseline, const Series& series, std::int64_t origin, View<double> out) {
  const std::int64_t rows = std::min(origin, baseline.history()), width = series.column_count();
  const double* first = series.values.data() + (origin - rows) * width;
  if (std::none_of(first, first + rows * width, [](double value) { return std::isnan(value); })) {
    return baseline.forecast({first, Shape{rows, width}}, out);
  }
  Series past;  // up to the origin, so that the first rows of the history see what was known before them
  past.columns = series.columns;
  past.values.assign(series.values.begin(), series.values.begin() + origin * width);
  past = carry_forward(std::move(past));
  baseline.forecast({past.values.data() + (origin - rows) * width, Shape{rows, width}}, out);
}

}  // namespace carousel
