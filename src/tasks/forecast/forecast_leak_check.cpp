#include "tasks/forecast/forecast_leak_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/fail.h"
#include "base/random.h"
#include "tasks/forecast/forecast_linear.h"
#include "tasks/forecast/forecasts.h"

namespace carousel {
namespace {

constexpr std::size_t kMostWindows = 256;  // that are compared, evenly chosen

// How a value after the origin is changed; `noise` is normal. A missing one stays missing.
struct Change {
  const char* name;
  double (*changed)(double value, double noise);
};
constexpr Change kChanges[] = {
    {"noise", [](double value,
                 double noise) { return value > 0 ? value * std::exp(noise) : value + noise * (1 + std::abs(value)); }},
    {"huge values", [](double value, double noise) { return 1e6 * (1 + std::abs(value)) * (1.5 + std::tanh(noise)); }},
    {"a constant", [](double, double) { return 1.0; }},
};

// Changes the rows of the k-th series that is read from row from[k] on, in every column that is not known ahead.
SeriesChange changing(const Change& change, std::vector<std::int64_t> from, const std::vector<std::string>& ahead) {
  return [change, from = std::move(from), ahead, next = std::size_t{0}](Series& series) mutable {
    const std::size_t k = next++, width = series.columns.size();
    const auto begin = static_cast<std::size_t>(from[k]) * width;
    if (begin >= series.values.size()) return;
    std::vector<char> kept;
    for (const std::string& column : series.columns) kept.push_back(std::ranges::count(ahead, column) > 0);
    std::vector<double> noise(series.values.size() - begin);
    fill_normal({1, Purpose::kNoise, k}, 0.0, 1.0, std::span<double>(noise));
    for (std::size_t i = begin; i < series.values.size(); ++i) {
      if (kept[i % width] || std::isnan(series.values[i])) continue;
      series.values[i] = change.changed(series.values[i], noise[i - begin]);
    }
  };
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// All forecasts of some windows, by method.
std::vector<NamedForecasts> forecasts_of(const Model& model, const ForecastData& data, const ForecastInfo& info,
                                         std::span<const WindowAt> windows) {
  std::vector<NamedForecasts> list = all_forecasts(make_forecast_baselines(model, data, info), data, windows, info);
  list.insert(list.begin(), {"the model", model_forecasts(model, data, windows, info)});
  for (NamedForecasts& one : list) one.forecasts = in_units(std::move(one.forecasts), data, windows, info);
  return list;
}

// Of each series up to the cut of that series.
void require_same(const std::vector<NamedForecasts>& before, const std::vector<NamedForecasts>& after,
                  std::span<const WindowAt> windows, std::span<const std::int64_t> cuts, const char* change,
                  const ForecastData& data) {
  for (std::size_t m = 0; m < before.size(); ++m) {
    const Forecasts &a = before[m].forecasts, &b = after[m].forecasts;
    for (std::size_t n = 0; n < windows.size(); ++n) {
      const auto k = static_cast<std::size_t>(windows[n].series);
      if (windows[n].origin > cuts[k]) continue;
      const auto require = [&](double was, double is, std::int64_t value) {
        if (same_bits(was, is)) return;
        fail(Code::kBound,
             "leak: with {} after row {} of {}, step {} of the forecast of {} at row {} moved from {} to {}; it uses "
             "values that are not known then",
             change, cuts[k], data.series[k].id.empty() ? "the series" : "series '" + data.series[k].id + "'",
             value / std::ssize(data.series[k].columns) + 1, before[m].name, windows[n].origin, was, is);
      };
      const std::int64_t first = static_cast<std::int64_t>(n) * a.values();
      const std::int64_t levels = std::ssize(a.levels);
      for (std::int64_t i = 0; i < a.values(); ++i) {
        require(a.point[first + i], b.point[first + i], i);
        for (std::int64_t q = 0; q < levels; ++q) {
          const std::int64_t at = (first + i) * levels + q;
          require(a.quantiles[at], b.quantiles[at], i);
        }
      }
    }
  }
}

std::vector<WindowAt> thinned_windows(const std::vector<WindowAt>& windows) {
  const std::size_t stride = (windows.size() + kMostWindows - 1) / kMostWindows;
  std::vector<WindowAt> kept;
  for (std::size_t n = 0; n < windows.size(); n += stride) kept.push_back(windows[n]);
  return kept;
}

// For each series the origin of the window at this share (0 .. 1) of its windows; its end where it has none.
std::vector<std::int64_t> cuts_at(double share, const std::vector<WindowAt>& windows, const ForecastData& data) {
  std::vector<std::vector<std::int64_t>> origins(data.series.size());
  for (const WindowAt& window : windows) origins[static_cast<std::size_t>(window.series)].push_back(window.origin);
  std::vector<std::int64_t> cuts;
  for (std::size_t k = 0; k < origins.size(); ++k) {
    const double place = share * static_cast<double>(origins[k].size() - 1);
    cuts.push_back(origins[k].empty() ? data.series[k].time_steps() : origins[k][static_cast<std::size_t>(place)]);
  }
  return cuts;
}

// What training fits before the network, as text; `linear`: with the linear start.
std::string fitted_numbers(const ForecastData& data, const ForecastInfo& info, bool linear) {
  std::string text = info.to_json();
  for (const Scaler& scaler : data.scalers) {
    for (const ColumnScaling& column : scaler.columns()) {
      text += fmt::format("\n{} {} {}", column.shift, column.factor, column.lambda);
    }
  }
  if (!linear) return text;
  const LinearStart start = fit_linear_start(data, info);
  return text + fmt::format("\n{} {}", fmt::join(start.weight.span(), ","), fmt::join(start.bias.span(), ","));
}

// Fits again what training fits.
void check_training(const DataOptions& options, const ForecastInfo& info, const ForecastData& data) {
  DataOptions again = options;
  again.valid.clear();
  again.layout = info.reading.layout;
  again.target = info.reading.targets;
  again.time_column = info.reading.time_column;
  again.id_column = info.reading.id_column;
  again.past = info.reading.past;
  again.future = info.reading.future;
  again.statics = info.reading.statics;
  again.missing_value = info.reading.missing_value;
  again.gaps = info.reading.gaps;
  again.duplicates = info.reading.duplicates;
  again.missing = info.reading.missing;
  again.sort = info.reading.sort;
  again.min_length = info.reading.min_length;
  again.scaling = info.scaling;
  again.transform = info.transform;
  again.calendar = info.derived.calendar;
  again.split = info.split;
  if (info.split.empty()) again.valid_fraction = info.valid_fraction;
  again.horizon = info.horizon;
  again.window = again.season = 0;            // found again
  std::vector<std::int64_t> training, known;  // where the training part ends, and the test part begins
  for (const SeriesSplit& split : data.splits) {
    training.push_back(split.train.end());
    known.push_back(split.test.begin);
  }
  ForecastInfo found;
  found.derived.calendar_ahead = info.derived.calendar_ahead;
  const ForecastData as_it_is = read_training_series(again, found);
  const std::string without = fitted_numbers(as_it_is, found, false), with = fitted_numbers(as_it_is, found, true);
  const auto require = [&](const Change& change, const std::vector<std::int64_t>& from, bool linear, const char* part) {
    ForecastInfo changed_info;
    changed_info.derived.calendar_ahead = info.derived.calendar_ahead;
    const ForecastData changed = read_training_series(again, changed_info, changing(change, from, info.derived.ahead));
    if (fitted_numbers(changed, changed_info, linear) == (linear ? with : without)) return;
    fail(Code::kBound, "leak: with {} in the {}, what training fits has changed: scaling, season, window or linear map",
         change.name, part);
  };
  for (const Change& change : kChanges) {
    require(change, training, false, "validation and test part");
    require(change, known, true, "test part");
  }
}

}  // namespace

std::string check_leaks(const Model& model, const DataOptions& options, const ForecastInfo& info,
                        const std::vector<WindowAt>& windows) {
  const auto read = [&](const SeriesChange& change) {
    return read_series_for_model(options.data, options, info, Parts::kAsTrained, change);
  };
  const ForecastData data = read({});
  std::vector<WindowAt> compared = thinned_windows(windows);
  for (std::size_t k = 0; k < data.splits.size() && k < kMostWindows; ++k) {  // for what the baselines are fitted on
    const std::int64_t end = data.splits[k].train.end();
    if (end >= info.window && end + info.horizon <= data.series[k].time_steps()) {
      compared.push_back({static_cast<std::int64_t>(k), end});
    }
  }
  const std::vector<NamedForecasts> before = forecasts_of(model, data, info, compared);
  std::int64_t forecasts = 0;
  for (const double share : {-1.0, 0.0, 0.5, 1.0}) {  // -1: the end of the training part
    std::vector<std::int64_t> cuts;
    if (share < 0) {
      for (const SeriesSplit& split : data.splits) cuts.push_back(split.train.end());
    } else {
      cuts = cuts_at(share, windows, data);
    }
    for (const Change& change : kChanges) {
      const ForecastData changed = read(changing(change, cuts, info.derived.ahead));
      require_same(before, forecasts_of(model, changed, info, compared), compared, cuts, change.name, data);
      for (const WindowAt& window : compared)
        forecasts += window.origin <= cuts[static_cast<std::size_t>(window.series)];
    }
  }
  if (!info.by_series) check_training(options, info, data);
  return fmt::format(
      "Leak check passed: {} forecasts each of the model and {} baselines kept every bit when all values after an "
      "origin "
      "were changed (noise, huge values, a constant), and so did what training fits.",
      forecasts, before.size() - 1);
}

}  // namespace carousel
