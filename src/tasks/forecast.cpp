#include "tasks/forecast.h"

#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "base/file.h"
#include "tasks/baselines/forecast_baselines.h"
#include "tasks/forecast_data.h"
#include "tasks/forecast_linear.h"
#include "tasks/forecast_training.h"
#include "tasks/metrics.h"
#include "tasks/report.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

using Baselines = std::vector<std::unique_ptr<ForecastBaseline>>;

// Baselines work on the scaled series, so that several series can share one map.
Baselines make_baselines(const ForecastData& data, const ForecastInfo& info) {
  const std::vector<std::int64_t> targets = info.target_positions();
  Baselines list;
  list.push_back(last_value_baseline(targets));
  if (info.season > 1) list.push_back(seasonal_baseline(targets, info.season));
  std::vector<TrainingSeries> training;
  for (std::size_t k = 0; k < data.scaled.size(); ++k) training.push_back({&data.scaled[k], data.splits[k].train});
  AutoregressionOptions options{info.window, info.horizon, targets};
  if (auto linear = linear_autoregression(training, options)) list.push_back(std::move(linear));
  return list;
}

// Forecasts of many windows in scaled units, [windows, horizon x targets] as double.
using Forecasts = BasicTensor<double>;

Forecasts model_forecasts(const Model& model, const ForecastData& data, const std::vector<WindowAt>& windows,
                          const ForecastInfo& info) {
  const Tensor scaled = predict_windows(model.network(), data.scaled, windows, info);
  Forecasts all(scaled.shape());
  std::copy_n(scaled.data(), scaled.elements(), all.data());
  return all;
}

Forecasts baseline_forecasts(const ForecastBaseline& baseline, const ForecastData& data,
                             const std::vector<WindowAt>& windows, const ForecastInfo& info) {
  const std::int64_t K = std::ssize(info.targets);
  Forecasts all({std::ssize(windows), info.horizon * K});
  for (std::size_t n = 0; n < windows.size(); ++n) {
    const View<double> out{all.data() + static_cast<std::int64_t>(n) * info.horizon * K, {info.horizon, K}};
    forecast_at(baseline, data.scaled[static_cast<std::size_t>(windows[n].series)], windows[n].origin, out);
  }
  return all;
}

// Back to the units of the data: [horizon, targets] of one window.
std::vector<double> in_units(const ForecastData& data, const ForecastInfo& info, std::int64_t series,
                             const double* scaled) {
  const std::vector<std::int64_t> targets = info.target_positions();
  std::vector<double> values(scaled, scaled + info.horizon * std::ssize(targets));
  data.scalers[static_cast<std::size_t>(series)].inverse(values, targets);
  return values;
}

// What happened after the origin: [horizon, targets], of the series or of another one (a test file) from `row` on.
std::vector<double> actual_values(const Series& series, std::int64_t row, const ForecastInfo& info,
                                  const std::vector<std::int64_t>& columns) {
  std::vector<double> values;
  for (std::int64_t h = 0; h < info.horizon; ++h) {
    for (const std::int64_t column : columns) values.push_back(series.at(row + h, column));
  }
  return values;
}

struct Scoring {
  const ForecastData& data;
  const ForecastInfo& info;
  const std::vector<WindowAt>& windows;
  const std::vector<Series>* actual = nullptr;  // a test file, from its first row on; null: the series themselves
  bool scaled = false;

  Metrics score(const Forecasts& forecasts) const {
    const std::vector<std::int64_t> targets = info.target_positions();
    ForecastScore total;
    for (std::size_t n = 0; n < windows.size(); ++n) {
      const auto k = static_cast<std::size_t>(windows[n].series);
      const Series& truth = actual ? (*actual)[k] : scaled ? data.scaled[k] : data.series[k];
      const double* mine = forecasts.data() + static_cast<std::int64_t>(n) * forecasts.shape()[1];
      const std::vector<double> forecast = scaled ? std::vector<double>(mine, mine + forecasts.shape()[1])
                                                  : in_units(data, info, windows[n].series, mine);
      std::vector<double> scales;
      for (const std::int64_t target : targets) {
        scales.push_back(
            mase_scale(scaled ? data.scaled[k] : data.series[k], data.splits[k].train, target, info.season));
      }
      total.add(forecast, actual_values(truth, actual ? 0 : windows[n].origin, info, targets), scales);
    }
    return {{"rmse", total.rmse()},
            {"mae", total.mae()},
            {"mse", total.mse()},
            {"mase", total.mase()},
            {"smape", total.smape()}};
  }
};

void score_all(EvaluateResult& result, const Model& model, const Baselines& baselines, const Scoring& scoring) {
  result.task = "forecast";
  result.samples = std::ssize(scoring.windows);
  result.metrics = scoring.score(model_forecasts(model, scoring.data, scoring.windows, scoring.info));
  for (const auto& baseline : baselines) {
    result.baselines.push_back(
        {std::string(baseline->name()),
         scoring.score(baseline_forecasts(*baseline, scoring.data, scoring.windows, scoring.info))});
  }
}

// The forecasts of consecutive windows of the first series, end to end, for the rows of a part.
std::vector<double> drawn(const Forecasts& forecasts, const ForecastData& data, const ForecastInfo& info,
                          const std::vector<WindowAt>& windows, Range part) {
  std::vector<double> values(static_cast<std::size_t>(part.size()), std::numeric_limits<double>::quiet_NaN());
  const std::int64_t K = std::ssize(info.targets);
  for (std::size_t n = 0; n < windows.size(); ++n) {
    if (windows[n].series != 0) continue;
    const std::vector<double> window =
        in_units(data, info, 0, forecasts.data() + static_cast<std::int64_t>(n) * forecasts.shape()[1]);
    for (std::int64_t h = 0; h < info.horizon; ++h) {
      const std::int64_t row = windows[n].origin + h - part.begin;
      if (row >= 0 && row < part.size())
        values[static_cast<std::size_t>(row)] = window[static_cast<std::size_t>(h * K)];
    }
  }
  return values;
}

void write_report(const Options& options, const Model& model, const ForecastData& data, const ForecastInfo& info,
                  const Baselines& baselines, const CurveRecorder& curves) {
  const bool has_test = data.splits.front().test.size() >= info.horizon;
  const auto part = has_test ? &SeriesSplit::test : &SeriesSplit::valid;
  const std::vector<WindowAt> windows = data.windows_in(part, info.shape(info.horizon));
  EvaluateResult result;
  score_all(result, model, baselines, {data, info, windows});
  Report report;
  report.title = fmt::format("Forecast of {}", file_names(options.data.data));
  report.facts = {{"cell", options.model.cell},
                  {"parameters", std::to_string(model.parameter_count())},
                  {"horizon", fmt::format("{} steps", info.horizon)},
                  {"window", fmt::format("{} steps", info.window)}};
  for (const std::string& note : curves.notes()) {
    const std::size_t colon = note.find(':');
    if (colon != std::string::npos) report.facts.emplace_back(note.substr(0, colon), note.substr(colon + 1));
  }
  report.part =
      fmt::format("{} part, {} forecasts of {} steps", has_test ? "test" : "validation", windows.size(), info.horizon);
  report.model = options.model.cell;
  report.metrics = result.metrics;
  report.baselines = result.baselines;
  const Series& series = data.series.front();
  const Range held_back = data.splits.front().*part;
  const std::int64_t target = info.target_positions().front();
  const auto line = [&](const std::string& name, const Forecasts& forecasts) {
    return DrawnForecast{name, drawn(forecasts, data, info, windows, held_back)};
  };
  const std::vector<DrawnForecast> lines{
      line(options.model.cell, model_forecasts(model, data, windows, info)),
      line("last_value", baseline_forecasts(*baselines.front(), data, windows, info))};
  const Range whole{0, series.time_steps()};
  const Range close{std::max<std::int64_t>(0, held_back.begin - held_back.size() / 4), held_back.end};
  report.figures = {
      {"The series",
       fmt::format("{}: forecasts of {} steps each, end to end, over the held-back part", info.targets.front(),
                   info.horizon),
       chart_svg(forecast_chart(series, target, whole, held_back, std::span(lines).first(1)))},
      {"The held-back part", "The same, closer", chart_svg(forecast_chart(series, target, close, held_back, lines))},
      {"Loss", "Training and validation loss by epoch", chart_svg(loss_chart(curves.epochs()))}};
  add_saturation_figure(curves.epochs(), report.figures);
  write_file_atomically(options.output.report, report_page(report));
}

// Trains; if no epoch beat the linear start, the linear start is kept.
TrainSummary train_network(ForecastProblem& problem, const TrainOptions& training, const TrainerOptions& options,
                           Observer& observer) {
  const std::optional<Validation> before = problem.validate();
  std::vector<Tensor> start;
  for (const Parameter* parameter : problem.parameters()) start.push_back(parameter->value);
  const TrainSummary summary = train_within(training.max_memory, problem, options, observer);
  if (!before || !summary.best || summary.best->value < before->value) return summary;
  const std::vector<Parameter*> parameters = problem.parameters();
  for (std::size_t k = 0; k < parameters.size(); ++k) parameters[k]->value = start[k];
  observer.note(
      fmt::format("result: no epoch was better than the linear start ({} {:.4g} on the validation part); it is kept",
                  before->metric, before->value));
  return summary;
}

class Forecast final : public Task {
 public:
  std::string_view name() const override { return "forecast"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    CurveRecorder observer(outer);
    ForecastInfo info;
    const ForecastData data = read_training_series(options.data, info);
    for (const std::string& note : data.notes) observer.note(note);
    TrainDefaults defaults{.epochs = 60, .batch_size = 32, .patience = 8, .lr = 3e-4, .average_decay = 0.98};
    TrainOptions wanted = options.train;
    if (wanted.loss.empty()) wanted.loss = info.several ? "mae" : "mse";
    const LinearStart start = fit_linear_start(data, info);
    observer.note(start.description);
    const std::int64_t windows = std::ssize(data.training_windows(info.shape()));
    const ModelOptions model_options = resolve_forecast_model(options.model, info, windows, observer);
    const TrainOptions resolved = resolve_training(wanted, defaults, observer);

    Model model("forecast", build_forecaster(model_options, info, start, static_cast<std::uint64_t>(resolved.seed)));
    model.set_task_data(info.to_json());
    note_kernels(model.network(), resolved, observer);
    ForecastProblem problem(model.network(), data, info, resolved);
    TrainSummary summary;
    try {
      summary = train_network(problem, resolved, trainer_options(resolved, defaults, options.output.run_dir), observer);
    } catch (const Error& error) {
      if (error.code() == Code::kDiverged && problem.has_best())
        model.save(options.output.out);  // the last good weights
      throw;
    }
    TrainResult result;
    const Baselines baselines = make_baselines(data, info);
    const std::vector<WindowAt> validation = data.windows_in(&SeriesSplit::valid, info.shape());
    score_all(result, model, baselines, {data, info, validation});
    fill_result(result, summary, model, options.output, problem.training_windows());
    model.set_training(training_json(summary, resolved, result));
    model.save(options.output.out);
    result.options = options;
    result.options.model = model_options;
    result.options.train = resolved;
    result.options.data.horizon = info.horizon;
    result.options.data.window = info.window;
    result.options.data.season = info.season;
    if (!options.output.report.empty()) write_report(result.options, model, data, info, baselines, observer);
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    const ForecastInfo info = ForecastInfo::from_model(model);
    if (!options.data.test.empty()) return evaluate_on_test_file(model, options, info, observer);
    const ForecastData data = read_series_for_model(options.data.data, options.data, info, Parts::kAsTrained);
    for (const std::string& note : data.notes) observer.note(note);
    Range SeriesSplit::*part = data.splits.front().test.size() > 0 ? &SeriesSplit::test : &SeriesSplit::valid;
    if (options.data.part == "valid") part = &SeriesSplit::valid;
    if (options.data.part == "test") part = &SeriesSplit::test;
    const WindowShape shape = info.shape(options.data.backtest ? options.data.stride : info.horizon);
    const std::vector<WindowAt> windows =
        options.data.part == "train" ? data.training_windows(shape) : data.windows_in(part, shape);
    if (windows.empty()) {
      fail(Code::kData, "the part to evaluate has no window of {} + {} steps; choose another --part", info.window,
           info.horizon);
    }
    EvaluateResult result;
    score_all(result, model, make_baselines(data, info), {data, info, windows, nullptr, options.data.scaled});
    return result;
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    const ForecastInfo info = ForecastInfo::from_model(model);
    ForecastData data = read_series_for_model(options.data.data, options.data, info, Parts::kAllKnown);
    const std::int64_t steps = options.data.horizon > 0 ? options.data.horizon : info.horizon;
    if (steps > info.horizon && info.targets != info.columns) {
      fail(Code::kUsage,
           "--horizon {}: the model forecasts {} steps; to go on from its own forecasts it would need all columns as "
           "targets",
           steps, info.horizon);
    }
    std::vector<std::string> columns{"step"};
    if (info.several) columns.insert(columns.begin(), "id");
    columns.insert(columns.end(), info.targets.begin(), info.targets.end());
    sink.header(columns);
    for (std::size_t k = 0; k < data.series.size(); ++k) {
      const std::vector<double> values = forecast_ahead(model, data, info, k, steps);
      for (std::int64_t h = 0; h < steps; ++h) {
        std::vector<std::string> cells{std::to_string(h + 1)};
        if (info.several) cells.insert(cells.begin(), data.series[k].id);
        for (std::int64_t j = 0; j < std::ssize(info.targets); ++j) {
          cells.push_back(fmt::format("{:.7g}", values[static_cast<std::size_t>(h * std::ssize(info.targets) + j)]));
        }
        sink.row(cells);
      }
    }
  }

  DataReport check(const Options& options) const override {
    ForecastInfo info;
    const ForecastData data = read_training_series(options.data, info);
    DataReport report;
    report.facts = {{"series", std::to_string(data.series.size())},
                    {"layout", info.layout},
                    {"columns", fmt::format("{}", fmt::join(info.columns, ", "))},
                    {"targets", fmt::format("{}", fmt::join(info.targets, ", "))},
                    {"time steps", std::to_string(data.series.front().time_steps())},
                    {"season", std::to_string(info.season)},
                    {"window", std::to_string(info.window)},
                    {"horizon", std::to_string(info.horizon)},
                    {"training windows", std::to_string(data.training_windows(info.shape()).size())}};
    report.problems = data.notes;
    return report;
  }

 private:
  // Steps beyond the horizon go on from the forecasts themselves (recursive).
  static std::vector<double> forecast_ahead(const Model& model, ForecastData& data, const ForecastInfo& info,
                                            std::size_t series, std::int64_t steps) {
    Series& scaled = data.scaled[series];
    if (scaled.time_steps() < info.window) {
      fail(Code::kData, "series '{}' has {} values, the model needs the last {}", scaled.id, scaled.time_steps(),
           info.window);
    }
    std::vector<double> values;
    while (std::ssize(values) < steps * std::ssize(info.targets)) {
      const std::vector<WindowAt> here{{static_cast<std::int64_t>(series), scaled.time_steps()}};
      const Forecasts next = model_forecasts(model, data, here, info);
      const std::vector<double> window = in_units(data, info, here[0].series, next.data());
      values.insert(values.end(), window.begin(), window.end());
      scaled.values.insert(scaled.values.end(), next.data(), next.data() + next.elements());
    }
    values.resize(static_cast<std::size_t>(steps * std::ssize(info.targets)));
    return values;
  }

  static EvaluateResult evaluate_on_test_file(const Model& model, const Options& options, const ForecastInfo& info,
                                              Observer& observer) {
    const ForecastData data = read_series_for_model(options.data.data, options.data, info, Parts::kAllKnown);
    const ForecastData test = read_series_for_model(options.data.test, options.data, info, Parts::kAllKnown);
    for (const std::string& note : data.notes) observer.note(note);
    if (test.series.size() != data.series.size()) {
      fail(Code::kData, "{}: has {} series, {} has {}", options.data.test.front(), test.series.size(),
           options.data.data.front(), data.series.size());
    }
    std::vector<WindowAt> windows;
    for (std::size_t k = 0; k < data.series.size(); ++k) {
      if (test.series[k].id != data.series[k].id || test.series[k].time_steps() < info.horizon) {
        fail(Code::kData, "{}: series '{}' with at least {} values was expected, got '{}' with {}",
             options.data.test.front(), data.series[k].id, info.horizon, test.series[k].id,
             test.series[k].time_steps());
      }
      windows.push_back({static_cast<std::int64_t>(k), data.series[k].time_steps()});
    }
    EvaluateResult result;
    score_all(result, model, make_baselines(data, info), {data, info, windows, &test.series});
    return result;
  }
};

}  // namespace

const Task& forecast_task() {
  static const Forecast task;
  return task;
}

}  // namespace carousel
