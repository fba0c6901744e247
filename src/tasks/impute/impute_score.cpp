#include "tasks/impute/impute_score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "data/series/series_fill.h"
#include "tasks/forecast/error_scales.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/forecast/forecast_score.h"
#include "tasks/significance.h"

namespace carousel {
namespace {

Series with_means(Series series) {
  const std::int64_t C = series.column_count();
  for (std::int64_t c = 0; c < C; ++c) {
    double sum = 0, count = 0;
    for (std::int64_t t = 0; t < series.time_steps(); ++t) {
      if (std::isnan(series.at(t, c))) continue;
      sum += series.at(t, c);
      ++count;
    }
    for (std::int64_t t = 0; t < series.time_steps(); ++t) {
      double& value = series.values[static_cast<std::size_t>(t * C + c)];
      if (std::isnan(value)) value = count > 0 ? sum / count : 0;
    }
  }
  return series;
}

Series seasonal(const Series& series, std::int64_t season) {
  const std::int64_t C = series.column_count(), T = series.time_steps();
  Series filled = interpolate(series);
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::int64_t c = 0; c < C; ++c) {
      if (!std::isnan(series.at(t, c))) continue;
      double sum = 0, count = 0;
      for (const std::int64_t step : {-season, season}) {
        std::int64_t at = t + step;
        while (at >= 0 && at < T && std::isnan(series.at(at, c))) at += step;
        if (at < 0 || at >= T) continue;
        sum += series.at(at, c);
        ++count;
      }
      if (count > 0) filled.values[static_cast<std::size_t>(t * C + c)] = sum / count;
    }
  }
  return filled;
}

// Before the first known value that one, which interpolate() gives there.
Series last_values(const Series& series) {
  const std::int64_t C = series.column_count();
  Series filled = interpolate(series);
  for (std::int64_t i = C; i < std::ssize(series.values); ++i) {
    const auto at = static_cast<std::size_t>(i), before = static_cast<std::size_t>(i - C);
    if (!std::isnan(series.values[at])) continue;
    filled.values[at] = filled.values[before];
  }
  return filled;
}

// The errors of one method.
class Errors {
 public:
  Errors(const ForecastData& data, const ImputeInfo& info) : data_(data), info_(info) {
    for (std::size_t k = 0; k < data.series.size(); ++k) {
      const std::vector<double> scales = mase_scales(data, info.series, k);
      scales_.insert(scales_.end(), scales.begin(), scales.end());
    }
  }

  void add(const ValueAt& place, double value) {
    const double right = data_.series[static_cast<std::size_t>(place.series)].at(place.row, place.target);
    const double scale = scales_[static_cast<std::size_t>(place.series * info_.targets() + place.target)];
    total_.add({&value, 1}, {&right, 1}, {&scale, 1});
    const double error = value - right;
    const bool of_scaled = info_.series.own_scaling();  // as the first metric
    if (of_scaled && !(scale > 0)) return;
    Mean& mean = losses_[info_.series.several ? place.series : place.row];
    mean.sum += of_scaled ? std::abs(error) / scale : error * error;
    mean.count += 1;
  }

  Metrics metrics() const { return error_metrics(total_, info_.series); }

  // Mean losses by series or, of one series, by row.
  std::vector<double> losses() const {
    std::vector<double> means;
    for (const auto& [place, mean] : losses_) means.push_back(mean.sum / mean.count);
    return means;
  }

 private:
  struct Mean {
    double sum = 0, count = 0;
  };
  const ForecastData& data_;
  const ImputeInfo& info_;
  std::vector<double> scales_;  // of MASE, [series, targets]
  ForecastScore total_;
  std::map<std::int64_t, Mean> losses_;
};

// The most rows next to one another that one draw asks for.
std::int64_t longest_gap(std::span<const HiddenValues> draws) {
  std::int64_t longest = 1;
  for (const HiddenValues& draw : draws) {
    std::int64_t length = 1;
    for (std::size_t i = 1; i < draw.places.size(); ++i) {
      const ValueAt &before = draw.places[i - 1], &here = draw.places[i];
      if (here.series == before.series && here.row == before.row) continue;
      length = here.series == before.series && here.row == before.row + 1 ? length + 1 : 1;
      longest = std::max(longest, length);
    }
  }
  return longest;
}

}  // namespace

std::vector<FilledSeries> fill_by_baselines(const Series& series, std::int64_t season) {
  std::vector<FilledSeries> filled{
      {"last_value", last_values(series)}, {"interpolation", interpolate(series)}, {"mean", with_means(series)}};
  if (season > 1) filled.push_back({"seasonal", seasonal(series, season)});
  return filled;
}

std::vector<double> fit_errors(Sequential& network, const ForecastData& data, const ImputeInfo& info,
                               std::span<const HiddenValues> draws) {
  constexpr std::size_t kLeast = 50;
  const auto K = static_cast<std::size_t>(info.targets());
  std::vector<std::vector<double>> near(kDistances * K), all(K);
  for (const HiddenValues& draw : draws) {
    std::vector<Series> rows;
    for (std::size_t k = 0; k < draw.series.size(); ++k) {
      rows.push_back(network_rows(draw.series[k], data.scalers[k], info.series));
    }
    const std::vector<double> answers = answer(network, info.series, rows, draw.places);
    const std::vector<double> right = right_values(data, draw.places);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const ValueAt& place = draw.places[i];
      const auto target = static_cast<std::size_t>(place.target);
      const auto distance =
          static_cast<std::size_t>(distance_of(draw.series[static_cast<std::size_t>(place.series)], place));
      near[distance * K + target].push_back(right[i] - answers[i]);
      all[target].push_back(right[i] - answers[i]);
    }
  }
  std::vector<double> quantiles;
  for (std::size_t i = 0; i < near.size(); ++i) {
    std::vector<double> errors = near[i].size() < kLeast ? all[i % K] : near[i];
    if (errors.empty()) errors.push_back(0);  // nothing is known of this target there
    std::sort(errors.begin(), errors.end());
    for (const double level : info.series.levels) quantiles.push_back(next_quantile(errors, level));
  }
  return quantiles;
}

EvaluateResult score_imputation(Sequential& network, const ForecastData& data, const ImputeInfo& info,
                                std::span<const HiddenValues> draws) {
  Errors model(data, info);
  std::vector<std::pair<std::string, Errors>> baselines;
  QuantileScore quantiles;
  std::int64_t count = 0;
  for (const HiddenValues& draw : draws) {
    const Forecasts filled = fill_values(network, info, draw.series, data.scalers, draw.places);
    std::vector<std::vector<FilledSeries>> others;
    for (const Series& series : draw.series) others.push_back(fill_by_baselines(series, info.series.season));
    if (baselines.empty()) {
      for (const FilledSeries& one : others.front()) baselines.emplace_back(one.name, Errors(data, info));
    }
    BasicTensor<double> right({std::ssize(draw.places), 1});
    for (std::size_t i = 0; i < draw.places.size(); ++i) {
      const ValueAt& place = draw.places[i];
      const auto k = static_cast<std::size_t>(place.series);
      model.add(place, filled.point[static_cast<std::int64_t>(i)]);
      for (std::size_t b = 0; b < baselines.size(); ++b) {
        baselines[b].second.add(place, others[k][b].series.at(place.row, place.target));
      }
      right[static_cast<std::int64_t>(i)] = data.series[k].at(place.row, place.target);
    }
    quantiles.add(filled, right);
    count += right.elements();
  }
  EvaluateResult result;
  result.task = "impute";
  result.samples = count;
  result.metrics = model.metrics();
  quantiles.add_metrics(result.metrics);
  const std::int64_t lags = info.series.several ? 1 : longest_gap(draws);
  const std::vector<double> mine = model.losses();
  for (const auto& [name, errors] : baselines) {
    const auto test = diebold_mariano(mine, errors.losses(), lags);
    result.baselines.push_back({name, errors.metrics(), {}, test ? std::optional(test->p) : std::nullopt});
  }
  result.notes.push_back(fmt::format("hidden: {} known values, in gaps of 1 to {} rows", count, longest_gap(draws)));
  note_missing_mase(info.series, result);
  return result;
}

}  // namespace carousel
