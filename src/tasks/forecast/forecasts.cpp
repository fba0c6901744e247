#include "tasks/forecast/forecasts.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "data/series/series_fill.h"
#include "tasks/baselines/exponential_smoothing.h"
#include "tasks/forecast/forecast_ensemble.h"
#include "tasks/forecast/forecast_linear.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/forecast/forecast_paths.h"
#include "tasks/forecast/forecast_training.h"

namespace carousel {
namespace {

// The series as somebody sees it who looks back: a missing value is the last known one. Copied only where one is.
const Series& without_gaps(const Series& series, std::deque<Series>& copies) {
  if (std::ranges::none_of(series.values, [](double value) { return std::isnan(value); })) return series;
  return copies.emplace_back(carry_forward(series));
}

}  // namespace

ForecastBaselines make_forecast_baselines(const ForecastData& data, const ForecastInfo& info) {
  std::vector<TrainingRange> parts;
  for (const SeriesSplit& split : data.splits) parts.push_back(split.train);
  return make_forecast_baselines(data, info, parts);
}

ForecastBaselines make_forecast_baselines(const ForecastData& data, const ForecastInfo& info,
                                          std::span<const TrainingRange> parts) {
  const std::vector<std::int64_t> targets = info.target_positions();
  std::deque<Series> copies;
  std::vector<TrainingSeries> training, scaled;
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    training.push_back({&without_gaps(data.series[k], copies), parts[k]});
    scaled.push_back({&without_gaps(data.scaled[k], copies), parts[k]});
  }
  ForecastBaselines list;
  const auto add = [&](std::unique_ptr<ForecastBaseline> baseline) {
    if (baseline) list.push_back(std::move(baseline));
  };
  add(last_value_baseline(targets));
  add(drift_baseline(training, targets));
  add(mean_baseline(training, targets));
  if (info.season > 1) add(seasonal_baseline(targets, info.season));
  if (info.season > 1) add(naive2_baseline(training, targets, info.season));
  add(exponential_smoothing(training, targets, info.season));
  add(linear_autoregression(scaled, {info.window, info.horizon, targets}));
  return list;
}

ForecastBaselines make_forecast_baselines(const Model& model, const ForecastData& data, const ForecastInfo& info) {
  ForecastBaselines list = make_forecast_baselines(data, info);
  if (!data.has_training_part()) list.push_back(linear_start_baseline(model.network(), info));
  return list;
}

namespace {

Forecasts forecasts_of_one(const Model& model, const ForecastData& data, std::span<const WindowAt> windows,
                           const ForecastInfo& info) {
  if (info.recursive) return recursive_forecasts(model.network(), data, windows, info);
  return read_outputs(predict_windows(model.network(), data.scaled, windows, info, data.carried), data, windows, info);
}

}  // namespace

Forecasts model_forecasts(const Model& model, const ForecastData& data, std::span<const WindowAt> windows,
                          const ForecastInfo& info) {
  std::vector<Forecasts> all{forecasts_of_one(model, data, windows, info)};
  for (const Model* member : info.members) {
    ForecastInfo its = ForecastInfo::from_model(*member);
    its.horizon = info.horizon;
    its.paths = info.paths;
    if (its.any_level()) its.levels = info.levels;
    Forecasts one = forecasts_of_one(*member, data, windows, its);
    all.push_back(one.levels.empty() ? std::move(one) : at_levels(std::move(one), info.levels));
  }
  return all.size() == 1 ? std::move(all.front()) : averaged(all);
}

Forecasts baseline_forecasts(const ForecastBaseline& baseline, const ForecastData& data,
                             std::span<const WindowAt> windows, const ForecastInfo& info) {
  const std::int64_t K = std::ssize(info.targets), width = info.horizon * K;
  Forecasts forecasts{BasicTensor<double>({std::ssize(windows), width}), {}, {}, baseline.of_scaled_values()};
  std::vector<std::size_t> order(windows.size());  // by series and origin
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(windows[a].series, windows[a].origin) < std::pair(windows[b].series, windows[b].origin);
  });
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const std::int64_t series = windows[order[begin]].series;
    std::vector<std::int64_t> origins;
    for (; end < order.size() && windows[order[end]].series == series; ++end)
      origins.push_back(windows[order[end]].origin);
    BasicTensor<double> out({std::ssize(origins) * info.horizon, K});
    const auto& list = baseline.of_scaled_values() ? data.scaled : data.series;
    std::deque<Series> copies;
    baseline.forecast({series, without_gaps(list[static_cast<std::size_t>(series)], copies), origins}, out.view());
    for (std::size_t n = begin; n < end; ++n) {
      std::copy_n(out.data() + static_cast<std::int64_t>(n - begin) * width, width,
                  forecasts.point.data() + static_cast<std::int64_t>(order[n]) * width);
    }
  }
  return forecasts;
}

std::vector<NamedForecasts> all_forecasts(const ForecastBaselines& baselines, const ForecastData& data,
                                          std::span<const WindowAt> windows, const ForecastInfo& info) {
  std::vector<NamedForecasts> all;
  for (const auto& baseline : baselines) {
    all.push_back({std::string(baseline->name()), baseline_forecasts(*baseline, data, windows, info)});
  }
  return all;
}

std::vector<std::vector<std::size_t>> origin_rounds(std::span<const WindowAt> windows, std::size_t series) {
  std::vector<std::vector<std::size_t>> rounds;
  std::vector<std::size_t> origins(series);
  for (std::size_t n = 0; n < windows.size(); ++n) {
    const std::size_t round = origins[static_cast<std::size_t>(windows[n].series)]++;
    if (round == rounds.size()) rounds.emplace_back();
    rounds[round].push_back(n);
  }
  return rounds;
}

std::vector<NamedForecasts> refitted_forecasts(const ForecastData& data, std::span<const WindowAt> windows,
                                               const ForecastInfo& info, bool sliding) {
  const std::int64_t width = info.horizon * std::ssize(info.targets);
  const std::vector<std::vector<std::size_t>> rounds = origin_rounds(windows, data.series.size());
  std::vector<TrainingRange> parts;
  for (const SeriesSplit& split : data.splits) parts.push_back(split.train);
  std::vector<NamedForecasts> all;
  for (const std::vector<std::size_t>& round : rounds) {
    std::vector<WindowAt> here;
    for (const std::size_t n : round) {
      here.push_back(windows[n]);
      const auto k = static_cast<std::size_t>(windows[n].series);
      parts[k] = known_at(data.splits[k].train, windows[n].origin, sliding);
    }
    for (const auto& [name, forecasts] : all_forecasts(make_forecast_baselines(data, info, parts), data, here, info)) {
      auto entry = std::ranges::find(all, name, &NamedForecasts::name);
      if (entry == all.end() && &round != &rounds.front()) continue;
      if (entry == all.end()) {
        const Shape shape{std::ssize(windows), width};
        all.push_back({name, {BasicTensor<double>(shape), {}, {}, forecasts.scaled}});
        entry = all.end() - 1;
      }
      for (std::size_t n = 0; n < round.size(); ++n) {
        std::copy_n(forecasts.point.data() + static_cast<std::int64_t>(n) * width, width,
                    entry->forecasts.point.data() + static_cast<std::int64_t>(round[n]) * width);
      }
    }
  }
  return all;
}

namespace {

// Differences to values: the quantiles move with the point, they are those of the last step alone.
void add_up_differences(Forecasts& forecasts, std::int64_t n, const ForecastData& data, const WindowAt& window,
                        std::span<const std::int64_t> targets) {
  const auto levels = static_cast<std::int64_t>(forecasts.levels.size()), values = forecasts.values();
  const auto k = static_cast<std::size_t>(window.series);
  const std::span<double> path(forecasts.point.data() + n * values, static_cast<std::size_t>(values));
  const std::vector<double> differences(path.begin(), path.end());
  data.scalers[k].add_up(data.series[k], window.origin, targets, path);
  for (std::int64_t i = 0; i < values * levels; ++i) {
    const auto value = static_cast<std::size_t>(i / levels);
    forecasts.quantiles[n * values * levels + i] += path[value] - differences[value];
  }
}

}  // namespace

Forecasts in_units(Forecasts scaled, const ForecastData& data, std::span<const WindowAt> windows,
                   const ForecastInfo& info) {
  if (!scaled.scaled) return scaled;
  scaled.scaled = false;
  const std::vector<std::int64_t> targets = info.target_positions();
  const auto levels = static_cast<std::int64_t>(scaled.levels.size());
  for (std::int64_t n = 0; n < scaled.windows(); ++n) {
    const Scaler& scaler = data.scalers[static_cast<std::size_t>(windows[static_cast<std::size_t>(n)].series)];
    for (std::int64_t i = 0; i < scaled.values(); ++i) {
      const std::int64_t column = targets[static_cast<std::size_t>(i) % targets.size()];
      const std::int64_t at = n * scaled.values() + i;
      scaled.point[at] = scaler.inverse(scaled.point[at], column);
      for (std::int64_t q = at * levels; q < (at + 1) * levels; ++q) {
        scaled.quantiles[q] = scaler.inverse(scaled.quantiles[q], column);
      }
    }
    add_up_differences(scaled, n, data, windows[static_cast<std::size_t>(n)], targets);
  }
  return scaled;
}

namespace {

// One series, whose end is the origin. Throws Error{kData} if it is shorter than the window.
ForecastData alone(const ForecastData& data, const ForecastInfo& info, std::int64_t series) {
  ForecastData here;
  here.scaled = {data.scaled[static_cast<std::size_t>(series)]};
  here.series = {data.series[static_cast<std::size_t>(series)]};
  here.scalers = {data.scalers[static_cast<std::size_t>(series)]};
  if (!data.carried.empty()) here.carried = {data.carried[static_cast<std::size_t>(series)]};
  Series& known = here.scaled.front();
  known.values.resize(static_cast<std::size_t>(known.known_steps() * known.column_count()));
  known.future_rows = 0;
  if (known.time_steps() < info.window) {
    fail(Code::kData, "series '{}' has {} values, the model needs the last {}", known.id, known.time_steps(),
         info.window);
  }
  return here;
}

}  // namespace

Forecasts forecast_ahead(const Model& model, const ForecastData& data, const ForecastInfo& info, std::int64_t series,
                         std::int64_t steps) {
  if (steps > info.horizon && !info.feeds_itself()) {
    fail(Code::kUsage,
         "--horizon {}: the model forecasts {} steps; to go on from its own forecasts it would need all columns as "
         "targets",
         steps, info.horizon);
  }
  const std::int64_t K = std::ssize(info.targets);
  ForecastData here = alone(data, info, series);  // grows by its forecasts
  Series& known = here.scaled.front();
  if (info.samples_paths()) {
    ForecastInfo far = info;
    far.horizon = steps;
    const WindowAt now[]{{0, known.time_steps()}};
    return in_units(model_forecasts(model, here, now, far), here, now, far);
  }
  Forecasts all{BasicTensor<double>({1, steps * K}), {}, {}, false};
  for (std::int64_t done = 0; done < steps; done += info.horizon) {
    const WindowAt now[]{{0, known.time_steps()}};
    const Forecasts scaled = model_forecasts(model, here, now, info);
    const Forecasts next = in_units(scaled, here, now, info);
    const std::int64_t kept = std::min(info.horizon, steps - done), levels = std::ssize(next.levels);
    if (levels > 0 && all.levels.empty()) {
      all.levels = next.levels;
      all.quantiles = BasicTensor<double>({1, steps * K, levels});
    }
    std::copy_n(next.point.data(), kept * K, all.point.data() + done * K);
    std::copy_n(next.quantiles.data(), kept * K * levels, all.quantiles.data() + done * K * levels);
    if (done > 0) {  // errors of forecasts made from forecasts are not known
      std::fill_n(all.quantiles.data() + done * K * levels, kept * K * levels,
                  std::numeric_limits<double>::quiet_NaN());
    }
    if (done + info.horizon >= steps) break;
    Series& raw = here.series.front();
    raw.values.insert(raw.values.end(), next.point.data(), next.point.data() + next.point.elements());
    for (std::int64_t h = 0; h < info.horizon; ++h) {
      const double number = known.values.back();
      known.values.insert(known.values.end(), scaled.point.data() + h * K, scaled.point.data() + (h + 1) * K);
      if (known.column_count() > K) known.values.push_back(number);
    }
  }
  return all;
}

void require_paths(const ForecastInfo& info) {
  if (info.samples_paths()) return;
  fail(Code::kUsage,
       "--samples: the model gives {}; paths need one trained with --strategy recursive and a --distribution, whose "
       "steps follow from one another",
       info.recursive ? "points" : "each step by itself");
}

BasicTensor<double> paths_ahead(const Model& model, const ForecastData& data, const ForecastInfo& info,
                                std::int64_t series, const PathOptions& options) {
  require_paths(info);
  const ForecastData here = alone(data, info, series);
  ForecastInfo far = info;
  far.horizon = options.steps;
  const WindowAt now[]{{0, here.scaled.front().time_steps()}};
  BasicTensor<double> paths =
      sample_paths(model.network(), here, now, far, options.paths, static_cast<std::uint64_t>(series) + 1);
  const std::vector<std::int64_t> targets = info.target_positions();
  const auto values = static_cast<std::size_t>(paths.shape()[2]);
  for (std::size_t i = 0; i < paths.span().size(); ++i) {
    paths.span()[i] = here.scalers.front().inverse(paths.span()[i], targets[i % values % targets.size()]);
  }
  return paths;
}

}  // namespace carousel
