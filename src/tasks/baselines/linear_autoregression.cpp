#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "tasks/baselines/forecast_baselines.h"
#include "tasks/baselines/lagged_moments.h"
#include "tasks/baselines/ridge.h"

namespace carousel {
namespace {

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
  bool of_scaled_values() const override { return true; }

  void forecast(const ForecastPlaces& places, View<double> out) const override {
    const std::int64_t horizon = out.shape.rows() / std::ssize(places.origins);
    for (std::size_t n = 0; n < places.origins.size(); ++n) {
      const std::int64_t first = static_cast<std::int64_t>(n) * horizon;
      forecast_one(places.series, places.origins[n], {out.row(first), Shape{horizon, out.shape.back()}});
    }
  }

 private:
  void forecast_one(const Series& series, std::int64_t origin, View<double> out) const {
    const std::int64_t window = options_.window;
    if (origin < window) {
      fail(Code::kUsage, "linear_autoregression: {} rows of history, expected the window of {}", origin, window);
    }
    std::int64_t target = 0;
    for (const Piece& piece : pieces_) {
      const LagColumns& columns = piece.columns;
      std::vector<double> x, y(piece.map.intercept.size());
      for (std::int64_t t = origin - window; t < origin; ++t) {
        for (std::int64_t c : columns.inputs) {
          const auto at = static_cast<std::size_t>(c);
          x.push_back((series.at(t, c) - columns.mean[at]) / columns.deviation[at]);
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
        for (std::int64_t t = one.training.begin(); t < one.training.end(); ++t) use(one.series->at(t, c));
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

}  // namespace carousel
