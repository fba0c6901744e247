#include "tasks/forecasts.h"

#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "tasks/forecast_outputs.h"
#include "tasks/forecast_paths.h"
#include "tasks/forecast_training.h"

namespace carousel {

ForecastBaselines make_forecast_baselines(const ForecastData& data, const ForecastInfo& info) {
  const std::vector<std::int64_t> targets = info.target_positions();
  ForecastBaselines list;
  list.push_back(last_value_baseline(targets));
  if (info.season > 1) list.push_back(seasonal_baseline(targets, info.season));
  std::vector<TrainingSeries> training;
  for (std::size_t k = 0; k < data.scaled.size(); ++k) {
    if (data.splits[k].train.size() > 0) training.push_back({&data.scaled[k], data.splits[k].train});
  }
  AutoregressionOptions options{info.window, info.horizon, targets};
  if (auto linear = linear_autoregression(training, options)) list.push_back(std::move(linear));
  return list;
}

Forecasts model_forecasts(const Model& model, const ForecastData& data, std::span<const WindowAt> windows,
                          const ForecastInfo& info) {
  if (info.recursive) return recursive_forecasts(model.network(), data, windows, info);
  return read_outputs(predict_windows(model.network(), data.scaled, windows, info, data.carried), data, windows, info);
}

Forecasts baseline_forecasts(const ForecastBaseline& baseline, const ForecastData& data,
                             std::span<const WindowAt> windows, const ForecastInfo& info) {
  const std::int64_t K = std::ssize(info.targets);
  Forecasts forecasts{BasicTensor<double>({std::ssize(windows), info.horizon * K}), {}, {}};
  for (std::size_t n = 0; n < windows.size(); ++n) {
    const View<double> out{forecasts.point.data() + static_cast<std::int64_t>(n) * info.horizon * K, {info.horizon, K}};
    forecast_at(baseline, data.scaled[static_cast<std::size_t>(windows[n].series)], windows[n].origin, out);
  }
  return forecasts;
}

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

Forecasts in_units(Forecasts scaled, const ForecastData& data, std::span<const WindowAt> windows,
                   const ForecastInfo& info) {
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
  if (steps > info.horizon && info.targets != info.columns) {
    fail(Code::kUsage,
         "--horizon {}: the model forecasts {} steps; to go on from its own forecasts it would need all columns as "
         "targets",
         steps, info.horizon);
  }
  const std::int64_t K = std::ssize(info.targets);
  ForecastData here = alone(data, info, series);  // grows by its forecasts
  Series& known = here.scaled.front();
  if (info.recursive && info.distribution != "point") {
    ForecastInfo far = info;
    far.horizon = steps;
    const WindowAt now[]{{0, known.time_steps()}};
    return in_units(model_forecasts(model, here, now, far), here, now, far);
  }
  Forecasts all{BasicTensor<double>({1, steps * K}), {}, {}};
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
    Series& raw = here.series.front();
    if (done + info.horizon < steps)
      raw.values.insert(raw.values.end(), next.point.data(), next.point.data() + next.point.elements());
    known.values.insert(known.values.end(), scaled.point.data(), scaled.point.data() + scaled.point.elements());
  }
  return all;
}

BasicTensor<double> paths_ahead(const Model& model, const ForecastData& data, const ForecastInfo& info,
                                std::int64_t series, const PathOptions& options) {
  if (!info.recursive || info.distribution == "point") {
    fail(Code::kUsage,
         "--samples: the model gives {}; paths need one trained with --strategy recursive and a --distribution, whose "
         "steps follow from one another",
         info.recursive ? "points" : "each step by itself");
  }
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
