#include "tasks/forecast/forecast_data.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/fail.h"
#include "data/series/calendar.h"
#include "data/series/category_columns.h"
#include "data/series/season.h"
#include "data/series/series.h"
#include "tasks/forecast/error_scales.h"
#include "tasks/sample_split.h"

namespace carousel {
namespace {

SeriesSet read_all(const std::vector<std::string>& paths, SeriesOptions options, const SeriesChange& change,
                   std::vector<std::string>& notes) {
  SeriesSet all;
  for (const std::string& path : paths) {
    SeriesSet one = read_series(path, options, change);
    options.categories = one.categories;  // those of the first file
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

// What the options say, and where they say nothing, what a model was trained with.
SeriesOptions series_options(const DataOptions& options, SeriesOptions reading) {
  const auto take = [](const std::string& given, std::string& field) {
    if (!given.empty()) field = given;
  };
  reading.format = options.format;
  take(options.layout, reading.layout);
  take(options.time_column, reading.time_column);
  take(options.id_column, reading.id_column);
  take(options.missing_value, reading.missing_value);
  take(options.gaps, reading.gaps);
  take(options.duplicates, reading.duplicates);
  take(options.missing, reading.missing);
  reading.sort = reading.sort || options.sort;
  if (options.min_length > 0) reading.min_length = options.min_length;
  return reading;
}

// The season where it is not given: what most of the first series have.
std::int64_t detect(const ForecastData& data, const std::vector<std::int64_t>& targets) {
  constexpr std::size_t kLook = 20;
  std::vector<std::int64_t> found;
  for (std::size_t k = 0; k < std::min(kLook, data.series.size()); ++k) {
    if (data.splits[k].train.size() == 0) break;
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

// Of the series that have one.
std::int64_t shortest_training_part(const ForecastData& data) {
  std::int64_t least = data.splits.front().train.size();
  for (const SeriesSplit& split : data.splits) {
    if (split.train.size() > 0) least = std::min(least, split.train.size());
  }
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

// Whether every known target value of the training parts is.
bool all_positive(const ForecastData& data) {
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    const TrainingRange& training = data.splits[k].train;
    for (std::int64_t t = training.begin(); t < training.end(); ++t) {
      for (std::int64_t c = 0; c < data.target_count; ++c) {
        if (data.series[k].at(t, c) <= 0) return false;
      }
    }
  }
  return true;
}

void split_all(ForecastData& data, const ForecastInfo& info) {
  for (const Series& series : data.series) {
    data.splits.push_back(!info.split.empty() ? split_series(series, info.split)
                                              : split_last(series, info.valid_fraction, info.horizon));
  }
}

void scale_all(ForecastData& data, const ForecastInfo& info) {
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    data.scalers.push_back(info.own_scaling() ? Scaler::fit(data.series[k], data.splits[k].train, info.scaler_options())
                                              : info.scaler);
    data.scaled.push_back(network_series(data.series[k], data.scalers.back(), info.derived, info.horizon));
  }
}

// Names some of the series whose learnt vector is not their own.
void note_unknown_series(ForecastData& data, const ForecastInfo& info) {
  if (info.derived.series.empty()) return;
  constexpr std::size_t kNamed = 3;
  std::vector<std::string> unknown;
  for (const Series& series : data.series) {
    if (info.derived.series_number(series.id) < 0) unknown.push_back("'" + series.id + "'");
  }
  if (unknown.empty()) return;
  const std::size_t count = unknown.size();
  unknown.resize(std::min(kNamed, count));
  data.notes.push_back(fmt::format(
      "series: {} of {} ({}{}) {} not in the training data; the mean of all learnt vectors "
      "stands for theirs",
      count, data.series.size(), fmt::join(unknown, ", "), count > kNamed ? " ..." : "", count == 1 ? "was" : "were"));
}

// What every step of the horizon needs to be known ahead.
void require_future(const ForecastData& data, const ForecastInfo& info) {
  for (const Series& series : data.series) {
    for (const std::string& name : info.derived.ahead) {
      const std::int64_t column = column_positions(series, std::span(&name, 1)).front();
      for (std::int64_t row = series.known_steps(); row < series.known_steps() + info.horizon; ++row) {
        if (row < series.time_steps() && !std::isnan(series.at(row, column))) continue;
        const std::string time = series.times.understood() ? fmt::format(" ('{}')", series.times.text(row)) : "";
        fail(Code::kData,
             "{}future column '{}' has no value for step {}{} of the {} to forecast; add rows behind the last target "
             "that hold it, with empty targets",
             series.id.empty() ? "" : "series '" + series.id + "': ", name, row - series.known_steps() + 1, time,
             info.horizon);
      }
    }
  }
}

}  // namespace

void ForecastData::add_windows(std::size_t at, const Origins& origins, std::int64_t horizon,
                               std::vector<WindowAt>& windows) const {
  const auto has_target = [&](std::int64_t origin) {
    for (std::int64_t row = origin; row < origin + horizon; ++row) {
      for (std::int64_t c = 0; c < target_count; ++c) {
        if (!std::isnan(series[at].at(row, c))) return true;
      }
    }
    return false;
  };
  for (std::int64_t j = 0; j < origins.count; ++j) {
    if (has_target(origins[j])) windows.push_back({static_cast<std::int64_t>(at), origins[j]});
  }
}

bool ForecastData::has_training_part() const {
  return std::ranges::any_of(splits, [](const SeriesSplit& split) { return split.train.size() > 0; });
}

std::vector<WindowAt> ForecastData::training_windows(const WindowShape& shape) const {
  std::vector<WindowAt> windows;
  for (std::size_t k = 0; k < series.size(); ++k) {
    add_windows(k, training_origins(splits[k].train, shape), shape.horizon, windows);
  }
  return windows;
}

std::vector<WindowAt> ForecastData::windows_in(Range SeriesSplit::*part, const WindowShape& shape) const {
  std::vector<WindowAt> windows;
  for (std::size_t k = 0; k < series.size(); ++k) {
    add_windows(k, held_back_origins(splits[k].*part, shape), shape.horizon, windows);
  }
  return windows;
}

namespace {

// The series of --data and, behind them, those of --valid.
ForecastData read_files(const DataOptions& options, ForecastInfo& info, const SeriesChange& change) {
  ForecastData data;
  SeriesOptions reading = series_options(options, info.reading);
  reading.targets = options.target;
  reading.past = options.past;
  reading.future = options.future;
  reading.statics = options.statics;
  SeriesSet set = read_all(options.data, reading, change, data.notes);
  data.series = std::move(set.series);
  data.target_count = set.target_count;
  info.reading = reading;
  info.reading.layout = set.layout;
  info.columns = data.series.front().columns;
  info.targets.assign(info.columns.begin(), info.columns.begin() + set.target_count);
  if (set.layout != "columns") info.reading.targets = info.targets;
  info.reading.categories = set.categories;
  info.several = data.series.size() > 1;
  info.by_series = !options.valid.empty();
  if (!info.by_series) return data;
  refuse_split_beside_valid(options, true);
  SeriesSet valid = read_all(options.valid, info.reading, change, data.notes);
  data.splits.resize(data.series.size());  // filled by split_for_training()
  std::move(valid.series.begin(), valid.series.end(), std::back_inserter(data.series));
  return data;
}

// Whole series to validate on, or the last part of each.
void split_for_training(ForecastData& data, const ForecastInfo& info) {
  if (!info.by_series) return split_all(data, info);
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    const std::int64_t rows = data.series[k].known_steps();
    if (k < data.splits.size()) {
      data.splits[k] = train_on_all(data.series[k]);
    } else {
      data.splits.push_back({{}, {0, rows}, {rows, rows}});
    }
  }
}

void fit_columns(ForecastData& data, const DataOptions& options, ForecastInfo& info) {
  data.problems = data.notes;
  info.scaling = options.scaling.empty() ? "standard" : options.scaling;
  info.transform = options.transform;
  if (info.transform.empty()) info.transform = info.several && all_positive(data) ? "log" : "none";
  if (options.transform.empty() && info.transform == "log") {
    data.notes.push_back("scale: every value of the training part is above 0, so logarithms are learnt");
  }
  for (const CategoryColumn& column : info.reading.categories) {
    data.notes.push_back(fmt::format("columns: '{}' is text; it is 1 and 0 for each of {}", column.name,
                                     fmt::join(column.categories, ", ")));
  }
  if (!info.own_scaling()) info.scaler = Scaler::fit(data.series, data.splits, info.scaler_options());
  const bool fitting = options.calendar == std::vector<std::string>{"auto"};
  info.derived = fit_derived_columns(
      data.series, data.splits, info.reading,
      fitting ? fitting_calendar_features(data.series.front().times, data.splits.front().train) : options.calendar,
      info.derived.calendar_ahead);
  const std::vector<std::string> derived = info.derived.names();
  if (!derived.empty()) {
    data.notes.push_back(fmt::format("columns: the network also sees {}", fmt::join(derived, ", ")));
  }
  info.columns.insert(info.columns.end(), derived.begin(), derived.end());
}

ForecastData read_and_split(const DataOptions& options, ForecastInfo& info, const SeriesChange& change) {
  ForecastData data = read_files(options, info, change);
  info.split = options.split;
  info.valid_fraction = options.split.empty() ? options.valid_fraction : 0;
  const auto shortest = std::min_element(data.series.begin(), data.series.end(), [](const Series& a, const Series& b) {
    return a.known_steps() < b.known_steps();
  });
  const std::int64_t rows = shortest->known_steps();
  info.horizon = options.horizon > 0 ? options.horizon : std::clamp<std::int64_t>(rows / 20, 1, 12);
  split_for_training(data, info);
  const std::vector<std::string> dropped = drop_untrained_categories(data.series, data.splits, info.reading.categories);
  if (!dropped.empty()) {
    info.columns = data.series.front().columns;
    data.notes.push_back(fmt::format("categories: the training part has none of {}; 0 in all columns stands for them",
                                     fmt::join(dropped, ", ")));
  }
  info.season = options.season > 0 ? options.season : detect(data, info.target_positions());
  info.window =
      options.window > 0 ? options.window : choose_window(info.season, info.horizon, shortest_training_part(data));
  info.window = std::max<std::int64_t>(info.window, 1);
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    if (data.splits[k].train.size() > 0) require_training_window(data.series[k], data.splits[k].train, info.shape());
  }
  fit_columns(data, options, info);
  scale_all(data, info);
  if (info.by_series) info.held_back = scales_of_training(data, info);
  return data;
}

}  // namespace

ForecastData read_training_series(const DataOptions& options, ForecastInfo& info, const SeriesChange& change) {
  try {
    return read_and_split(options, info, change);
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.find(options.data.front()) != std::string::npos) throw;
    fail(error.code(), "{}: {}", options.data.front(), message);  // a fault of the series as a whole
  }
}

void number_series(ForecastData& data, ForecastInfo& info) {
  std::set<std::string> names;
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    if (data.splits[k].train.size() > 0) names.insert(data.series[k].id);
  }
  if (names.size() < 2) {
    fail(Code::kUsage,
         "--series-embedding: needs several series to tell apart, the training data have one; leave it out, or say "
         "what separates them (--id-column, --layout)");
  }
  info.derived.series.assign(names.begin(), names.end());
  info.columns.emplace_back(info.derived.names().back());
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    data.scaled[k] = network_series(data.series[k], data.scalers[k], info.derived, info.horizon);
  }
  note_unknown_series(data, info);
}

std::vector<std::pair<std::string, std::string>> describe_series(const ForecastData& data, const ForecastInfo& info) {
  const auto [shortest, longest] =
      std::minmax_element(data.series.begin(), data.series.end(),
                          [](const Series& a, const Series& b) { return a.known_steps() < b.known_steps(); });
  const Series& first = data.series.front();
  std::vector<std::pair<std::string, std::string>> facts{
      {"series", std::to_string(data.series.size())},
      {"layout", info.reading.layout},
      {"columns", fmt::format("{}", fmt::join(first.columns, ", "))},
      {"targets", fmt::format("{}", fmt::join(info.targets, ", "))},
      {"time steps", shortest->known_steps() == longest->known_steps()
                         ? std::to_string(first.known_steps())
                         : fmt::format("{} to {}", shortest->known_steps(), longest->known_steps())}};
  if (first.times.understood()) {
    facts.emplace_back("times", fmt::format("{} to {}, one {} apart", first.times.text(0),
                                            first.times.text(first.known_steps() - 1), first.times.step_name()));
  }
  if (first.future_rows > 0) facts.emplace_back("future rows", std::to_string(first.future_rows));
  return facts;
}

std::vector<Series> read_rows_for_model(const std::vector<std::string>& paths, const DataOptions& options,
                                        const ForecastInfo& info, std::vector<std::string>& notes,
                                        const SeriesChange& change) {
  std::vector<Series> series = read_all(paths, series_options(options, info.reading), change, notes).series;
  const std::int64_t read = std::ssize(info.columns) - std::ssize(info.derived.names());
  if (series.front().column_count() != read) {
    fail(Code::kData, "{}: has {} columns of values, the model needs {}", paths.front(), series.front().column_count(),
         read);
  }
  if (!info.derived.calendar.empty() && !series.front().times.is_date()) {
    fail(Code::kData, "{}: the model sees the {} of the time, but the file has no column of dates", paths.front(),
         info.derived.calendar.front());
  }
  return series;
}

ForecastData read_series_for_model(const std::vector<std::string>& paths, const DataOptions& options,
                                   const ForecastInfo& info, Parts parts, const SeriesChange& change) {
  ForecastData data;
  data.series = read_rows_for_model(paths, options, info, data.notes, change);
  data.target_count = std::ssize(info.targets);
  if (parts == Parts::kAsTrained && info.by_series) {
    for (const Series& series : data.series) data.splits.push_back({{}, {0, 0}, {0, series.known_steps()}});
  } else if (parts == Parts::kAsTrained) {
    split_all(data, info);
  } else {
    for (const Series& series : data.series) data.splits.push_back(train_on_all(series));
    require_future(data, info);
  }
  scale_all(data, info);
  note_unknown_series(data, info);
  return data;
}

void scale_known_series(ForecastData& data, const ForecastInfo& info) {
  data.target_count = std::ssize(info.targets);
  require_future(data, info);
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    data.splits.push_back(train_on_all(data.series[k]));
    data.scaled.push_back(network_series(data.series[k], data.scalers[k], info.derived, info.horizon));
  }
  note_unknown_series(data, info);
}

}  // namespace carousel
