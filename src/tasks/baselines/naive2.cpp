// naive2.cpp: the last value of the seasonally adjusted series, the benchmark of the M4 competition (Makridakis,
// Spiliotis and Assimakopoulos 2020).
//
// Seasonal if |r_m| > 1.645 sqrt((1 + 2 sum_(k < m) r_k^2) / n) for the autocorrelation r of the training part and
// season m, with at least three seasons; then the factors are its multiplicative seasonal_indices(). Else it is the
// last value.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.h"
#include "data/series/season.h"
#include "tasks/baselines/forecast_baselines.h"
#include "tasks/baselines/seasonal_indices.h"

namespace carousel {
namespace {

bool is_seasonal(std::span<const double> x, std::int64_t season) {
  if (std::ssize(x) < 3 * season) return false;
  const std::vector<double> r = autocorrelation(x, season);
  double sum = 1;
  for (std::int64_t k = 1; k < season; ++k) sum += 2 * r[static_cast<std::size_t>(k)] * r[static_cast<std::size_t>(k)];
  return std::abs(r.back()) > 1.645 * std::sqrt(sum / static_cast<double>(x.size()));
}

class Naive2 final : public ForecastBaseline {
 public:
  Naive2(std::span<const TrainingSeries> series, std::vector<std::int64_t> targets, std::int64_t season)
      : targets_(std::move(targets)) {
    for (const TrainingSeries& one : series) {
      first_rows_.push_back(one.training.begin());
      for (const std::int64_t column : targets_) {
        std::vector<double> x;
        for (std::int64_t t = one.training.begin(); t < one.training.end(); ++t) x.push_back(one.series->at(t, column));
        const bool positive = std::ranges::all_of(x, [](double value) { return value > 0; });
        factors_.push_back(positive && is_seasonal(x, season) ? seasonal_indices(x, season, SeasonKind::kMultiplicative)
                                                              : std::vector<double>{1.0});
      }
    }
  }
  std::string_view name() const override { return "naive2"; }

  void forecast(const ForecastPlaces& places, View<double> out) const override {
    const std::int64_t horizon = out.shape.rows() / std::ssize(places.origins);
    for (std::size_t k = 0; k < targets_.size(); ++k) {
      const std::vector<double>& factors = factors_[static_cast<std::size_t>(places.index) * targets_.size() + k];
      const std::int64_t m = std::ssize(factors), first = first_rows_[static_cast<std::size_t>(places.index)] % m;
      const auto factor = [&](std::int64_t row) { return factors[static_cast<std::size_t>((row - first + m) % m)]; };
      for (std::size_t n = 0; n < places.origins.size(); ++n) {
        const std::int64_t origin = places.origins[n];
        const double adjusted = places.series.at(origin - 1, targets_[k]) / factor(origin - 1);
        for (std::int64_t h = 0; h < horizon; ++h) {
          out.row(static_cast<std::int64_t>(n) * horizon + h)[k] = adjusted * factor(origin + h);
        }
      }
    }
  }

 private:
  std::vector<std::int64_t> targets_, first_rows_;
  std::vector<std::vector<double>> factors_;  // [series x targets], each [season] or [1] if it has none
};

}  // namespace

std::unique_ptr<ForecastBaseline> naive2_baseline(std::span<const TrainingSeries> series,
                                                  std::vector<std::int64_t> targets, std::int64_t season) {
  return std::make_unique<Naive2>(series, std::move(targets), season);
}

}  // namespace carousel
