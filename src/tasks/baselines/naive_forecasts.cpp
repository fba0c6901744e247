#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "tasks/baselines/forecast_baselines.h"

namespace carousel {
namespace {

// What the forecasts below have in common: each target by itself, from the rows before the origin.
class NaiveForecast : public ForecastBaseline {
 public:
  explicit NaiveForecast(std::vector<std::int64_t> targets) : targets_(std::move(targets)) {}
  void forecast(const ForecastPlaces& places, View<double> out) const final {
    const std::int64_t horizon = out.shape.rows() / std::ssize(places.origins);
    for (std::size_t k = 0; k < targets_.size(); ++k) {
      for (std::size_t n = 0; n < places.origins.size(); ++n) {
        const std::int64_t first = static_cast<std::int64_t>(n) * horizon;
        for (std::int64_t h = 0; h < horizon; ++h)
          out.row(first + h)[k] = value(places, places.origins[n], h, targets_[k]);
      }
    }
  }

 protected:
  // Step h (from 0) of a column.
  virtual double value(const ForecastPlaces& places, std::int64_t origin, std::int64_t h,
                       std::int64_t column) const = 0;

 private:
  std::vector<std::int64_t> targets_;
};

class LastValue final : public NaiveForecast {
 public:
  using NaiveForecast::NaiveForecast;
  std::string_view name() const override { return "last_value"; }

 protected:
  double value(const ForecastPlaces& places, std::int64_t origin, std::int64_t, std::int64_t column) const override {
    return places.series.at(origin - 1, column);
  }
};

class Seasonal final : public NaiveForecast {
 public:
  Seasonal(std::vector<std::int64_t> targets, std::int64_t season)
      : NaiveForecast(std::move(targets)), season_(season) {}
  std::string_view name() const override { return "seasonal"; }

 protected:
  double value(const ForecastPlaces& places, std::int64_t origin, std::int64_t h, std::int64_t column) const override {
    const std::int64_t same_phase = origin - season_ + h % season_;
    return places.series.at(same_phase >= 0 ? same_phase : origin - 1, column);
  }

 private:
  std::int64_t season_;
};

// The first training row of each series of a list.
std::vector<std::int64_t> first_rows(std::span<const TrainingSeries> series) {
  std::vector<std::int64_t> rows;
  for (const TrainingSeries& one : series) rows.push_back(one.training.begin());
  return rows;
}

class Drift final : public NaiveForecast {
 public:
  Drift(std::span<const TrainingSeries> series, std::vector<std::int64_t> targets)
      : NaiveForecast(std::move(targets)), first_rows_(first_rows(series)) {}
  std::string_view name() const override { return "drift"; }

 protected:
  double value(const ForecastPlaces& places, std::int64_t origin, std::int64_t h, std::int64_t column) const override {
    const std::int64_t first = first_rows_[static_cast<std::size_t>(places.index)], steps = origin - 1 - first;
    const double last = places.series.at(origin - 1, column);
    if (steps < 1) return last;
    return last + static_cast<double>(h + 1) * (last - places.series.at(first, column)) / static_cast<double>(steps);
  }

 private:
  std::vector<std::int64_t> first_rows_;
};

class Mean final : public ForecastBaseline {
 public:
  Mean(std::span<const TrainingSeries> series, std::vector<std::int64_t> targets)
      : targets_(std::move(targets)), first_rows_(first_rows(series)) {}
  std::string_view name() const override { return "mean"; }

  void forecast(const ForecastPlaces& places, View<double> out) const override {
    const std::int64_t horizon = out.shape.rows() / std::ssize(places.origins);
    for (std::size_t k = 0; k < targets_.size(); ++k) {
      const std::int64_t first = std::min(first_rows_[static_cast<std::size_t>(places.index)], places.origins[0] - 1);
      double sum = 0;
      std::int64_t row = first;
      for (std::size_t n = 0; n < places.origins.size(); ++n) {
        for (; row < places.origins[n]; ++row) sum += places.series.at(row, targets_[k]);
        for (std::int64_t h = 0; h < horizon; ++h) {
          out.row(static_cast<std::int64_t>(n) * horizon + h)[k] = sum / static_cast<double>(row - first);
        }
      }
    }
  }

 private:
  std::vector<std::int64_t> targets_, first_rows_;
};

}  // namespace

std::unique_ptr<ForecastBaseline> last_value_baseline(std::vector<std::int64_t> targets) {
  return std::make_unique<LastValue>(std::move(targets));
}

std::unique_ptr<ForecastBaseline> seasonal_baseline(std::vector<std::int64_t> targets, std::int64_t season) {
  if (season < 1) fail(Code::kUsage, "season is {}, expected at least 1", season);
  return std::make_unique<Seasonal>(std::move(targets), season);
}

std::unique_ptr<ForecastBaseline> drift_baseline(std::span<const TrainingSeries> series,
                                                 std::vector<std::int64_t> targets) {
  return std::make_unique<Drift>(series, std::move(targets));
}

std::unique_ptr<ForecastBaseline> mean_baseline(std::span<const TrainingSeries> series,
                                                std::vector<std::int64_t> targets) {
  return std::make_unique<Mean>(series, std::move(targets));
}

}  // namespace carousel
