#include "tasks/forecast_data.h"

#include <algorithm>

#include "base/fail.h"
#include "data/series/season.h"
#include "data/series/series.h"

namespace carousel {
namespace {

SeriesSet read_all(const std::vector<std::string>& paths, const SeriesOptions& options,
                   std::vector<std::string>& notes) {
  SeriesSet all;
  for (const std::string& path : paths) {
    SeriesSet one = read_series(path, options);
    notes.insert(notes.end(), one.notes.begin(), one.notes.end());
    if (!all.series.empty() && one.series.front().columns != all.series.front().columns) {
      fail(Code::kData, "{}: its columns differ from those of {}", path, all.path);
    }
    if (all.series.empty()) {
      all = std::move(one);
    } else {
      std::move(one.series.begin(), one.series.end(), std::back_inserter(all.series));
    }
  }
  return all;
}

// The season where it is not given: what most of the first series have.
std::int64_t detect(const ForecastData& data, const std::vector<std::int64_t>& targets) {
  constexpr std::size_t kLook = 20;
  std::vector<std::int64_t> found;
  for (std::size_t k = 0; k < std::min(kLook, data.series.size()); ++k) {
    found.push_back(detect_season(data.series[k], targets, data.splits[k].train));
  }
  std::int64_t best = 1, most = 0;
  for (const std::int64_t season : found) {
    const std::int64_t count = std::count(found.begin(), found.end(), season);
    if (count > most || (count == most && season < best)) {
      best = season;
      most = count;
    }
  }
  return best;
}

std::int64_t shortest_training_part(const ForecastData& data) {
  std::int64_t least = data.splits.front().train.size();
  for (const SeriesSplit& split : data.splits) least = std::min(least, split.train.size());
  return least;
}

// Enough steps to see the season: a week of hours, else two seasons, at least two horizons; but at most half of the
// training part.
std::int64_t choose_window(std::int64_t season, std::int64_t horizon, std::int64_t rows) {
  std::int64_t window = std::max<std::int64_t>(24, 2 * horizon);
  if (season > 1) window = season == 24 ? 168 : season <= 100 ? 2 * season : season + horizon;
  window = std::max(window, horizon);
  const std::int64_t most = std::max<std::int64_t>(1, (rows - horizon) / 2);
  return std::min(window, std::max(most, std::min(season, rows - horizon - 8)));
}

bool all_positive(const std::vector<Series>& list) {
  return std::ranges::all_of(list, [](const Series& series) {
    return std::ranges::all_of(series.values, [](double value) { return value > 0; });
  });
}

void split_all(ForecastData& data, const ForecastInfo& info) {
  for (const Series& series : data.series) {
    data.splits.push_back(!info.split.empty() ? split_series(series, info.split)
                                              : split_last(series, info.valid_fraction, info.horizon));
  }
}

void scale_all(ForecastData& data, const ForecastInfo& info) {
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    data.scalers.push_back(info.several ? Scaler::fit(data.series[k], data.splits[k].train,
                                                      info.logarithms ? Scaler::Of::kLogarithms : Scaler::Of::kValues)
                                        : Scaler(info.mean, info.deviation));
    data.scaled.push_back(data.scalers.back().transform(data.series[k]));
  }
}

}  // namespace

std::vector<WindowAt> ForecastData::training_windows(const WindowShape& shape) const {
  std::vector<WindowAt> windows;
  for (std::size_t k = 0; k < series.size(); ++k) {
    const Origins origins = training_origins(splits[k].train, shape);
    for (std::int64_t j = 0; j < origins.count; ++j) windows.push_back({static_cast<std::int64_t>(k), origins[j]});
  }
  return windows;
}

std::vector<WindowAt> ForecastData::windows_in(Range SeriesSplit::*part, const WindowShape& shape) const {
  std::vector<WindowAt> windows;
  for (std::size_t k = 0; k < series.size(); ++k) {
    const Origins origins = held_back_origins(splits[k].*part, shape);
    for (std::int64_t j = 0; j < origins.count; ++j) windows.push_back({static_cast<std::int64_t>(k), origins[j]});
  }
  return windows;
}

namespace {

ForecastData read_and_split(const DataOptions& options, ForecastInfo& info) {
  ForecastData data;
  SeriesSet set =
      read_all(options.data, {options.format, options.layout, options.time_column, options.id_column, options.target},
               data.notes);
  data.series = std::move(set.series);
  info.layout = set.layout;
  info.time_column = set.time_column;
  info.id_column = set.id_column;
  info.columns = data.series.front().columns;
  info.targets = options.target.empty() ? info.columns : options.target;
  info.several = data.series.size() > 1;
  info.split = options.split;
  info.valid_fraction = options.split.empty() ? options.valid_fraction : 0;
  const std::int64_t rows =
      std::min_element(data.series.begin(), data.series.end(), [](const Series& a, const Series& b) {
        return a.time_steps() < b.time_steps();
      })->time_steps();
  info.horizon = options.horizon > 0 ? options.horizon : std::clamp<std::int64_t>(rows / 20, 1, 12);
  split_all(data, info);
  info.season = options.season > 0 ? options.season : detect(data, info.target_positions());
  const std::int64_t training_rows = shortest_training_part(data);
  info.window = options.window > 0 ? options.window : choose_window(info.season, info.horizon, training_rows);
  info.window = std::max<std::int64_t>(info.window, 1);
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    require_training_window(data.series[k], data.splits[k].train, info.shape());
  }
  info.logarithms = info.several && all_positive(data.series);
  if (info.logarithms) data.notes.push_back("scale: every value is above 0, so logarithms are learnt");
  if (!info.several) {
    const Scaler scaler = Scaler::fit(data.series.front(), data.splits.front().train);
    info.mean = scaler.mean();
    info.deviation = scaler.deviation();
  }
  scale_all(data, info);
  return data;
}

}  // namespace

ForecastData read_training_series(const DataOptions& options, ForecastInfo& info) {
  try {
    return read_and_split(options, info);
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.find(options.data.front()) != std::string::npos) throw;
    fail(error.code(), "{}: {}", options.data.front(), message);  // a fault of the series as a whole
  }
}

ForecastData read_series_for_model(const std::vector<std::string>& paths, const DataOptions& options,
                                   const ForecastInfo& info, Parts parts) {
  ForecastData data;
  const std::string layout = options.layout.empty() ? info.layout : options.layout;
  SeriesOptions how{options.format, layout, options.time_column, options.id_column, {}};
  if (layout != "rows") how.targets = info.columns;
  data.series = read_all(paths, how, data.notes).series;
  if (std::ssize(data.series.front().columns) != std::ssize(info.columns)) {
    fail(Code::kData, "{}: has {} columns of values, the model needs {}", paths.front(),
         data.series.front().columns.size(), info.columns.size());
  }
  if (parts == Parts::kAsTrained) {
    split_all(data, info);
  } else {
    for (const Series& series : data.series) data.splits.push_back(train_on_all(series));
  }
  scale_all(data, info);
  return data;
}

}  // namespace carousel
