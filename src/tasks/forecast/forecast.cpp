#include "tasks/forecast/forecast.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/fail.h"
#include "tasks/forecast/forecast_anomalies.h"
#include "tasks/forecast/forecast_clusters.h"
#include "tasks/forecast/forecast_data.h"
#include "tasks/forecast/forecast_ensemble.h"
#include "tasks/forecast/forecast_leak_check.h"
#include "tasks/forecast/forecast_linear.h"
#include "tasks/forecast/forecast_metrics.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/forecast/forecast_paths.h"
#include "tasks/forecast/forecast_refit.h"
#include "tasks/forecast/forecast_report.h"
#include "tasks/forecast/forecast_score.h"
#include "tasks/forecast/forecast_shrinkage.h"
#include "tasks/forecast/forecast_state.h"
#include "tasks/forecast/forecast_stateful.h"
#include "tasks/forecast/forecast_training.h"
#include "tasks/forecast/forecast_update.h"
#include "tasks/report/report_files.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

// Trains, and keeps of what is learnt as much as the validation part says is more than chance (forecast_shrinkage.h):
// `share` of it.
TrainSummary train_network(TaskProblem& problem, Sequential& network, const ForecastData& data,
                           const ForecastInfo& info, const TrainOptions& training, const TrainerOptions& options,
                           Observer& observer, double& share) {
  const std::vector<WindowAt> windows = validation_windows(data, info);
  const std::vector<double> before = window_losses(network, data, windows, info, training);
  const std::vector<Tensor> start = output_weights(network);
  TrainSummary summary = train_within(training.max_memory, problem, options, observer);
  if (!summary.best) return summary;
  const std::vector<double> after = window_losses(network, data, windows, info, training);
  share = training.shrinkage               ? share_beyond_chance(after, before, windows, info)
          : summed_gain(after, before) > 0 ? 1
                                           : 0;
  if (share == 1) return summary;
  keep_share(network, start, share);
  observer.note(
      share > 0 ? fmt::format("result: {:.0f} % of what the network adds to the linear start is kept, the rest of its "
                              "gain on the validation part may be chance",
                              100 * share)
                : fmt::format("result: no epoch was better than the linear start on the validation part{}; it is kept",
                              training.shrinkage ? " beyond chance" : ""));
  if (share == 0) summary.best_epoch = 0;
  return summary;
}

// What the network is to put out.
void set_output(const Options& options, ForecastInfo& info) {
  info.distribution = options.model.distribution;
  info.recursive = options.model.strategy == "recursive";
  info.derived.calendar_ahead = options.model.strategy == "seq2seq";
  info.levels =
      options.model.quantiles.empty() ? default_levels() : parse_levels(options.model.quantiles, "--quantiles");
  const std::string& loss = options.train.loss;
  if (loss == "bce") fail(Code::kUsage, "--loss bce: forecast takes mse, mae or huber");
  if (info.distribution != "point" && !loss.empty()) {
    fail(Code::kUsage, "--loss {}: with --distribution {} the loss is that of the distribution; leave one out", loss,
         info.distribution);
  }
}

// The transform that a distribution asks for: logarithms for log-normal values, none for counts.
DataOptions data_for(const std::string& distribution, DataOptions options) {
  const char* needed = distribution == "log_normal" ? "log" : distribution == "negative_binomial" ? "none" : nullptr;
  if (!needed) return options;
  if (!options.transform.empty() && options.transform != needed) {
    fail(Code::kUsage, "--transform {}: --distribution {} goes with {}; leave one out", options.transform, distribution,
         needed);
  }
  options.transform = needed;
  return options;
}

// Every known value of the targets is one. Throws Error{kData} for the first that is not.
void check_counts(const ForecastData& data, const ForecastInfo& info) {
  for (const Series& series : data.series) {
    for (const std::int64_t column : info.target_positions()) {
      for (std::int64_t t = 0; t < series.time_steps(); ++t) {
        const double value = series.at(t, column);
        if (std::isnan(value) || (value >= 0 && value == std::floor(value))) continue;
        fail(Code::kData, "series '{}', column '{}', step {}: {} is no count; negative_binomial needs 0, 1, 2 ...",
             series.id, series.columns[static_cast<std::size_t>(column)], t, value);
      }
    }
  }
}

// The levels that `predict` writes: those asked for, else those of the 80 % interval, if there are quantiles. A
// distribution has quantiles at every level; `info` is told to make those.
std::vector<double> levels_to_write(const ModelOptions& options, ForecastInfo& info) {
  const bool of_points = info.distribution == "point";
  std::vector<double> levels = parse_levels(options.quantiles, "--quantiles");
  if (of_points && info.residuals.values.empty()) {
    if (levels.empty()) return {};
    fail(Code::kUsage, "--quantiles: the model gives points only; it was trained without a validation part");
  }
  if (levels.empty()) levels = {0.1, 0.9};
  if (info.any_level()) info.levels = levels;
  return levels;
}

// A value and its quantiles.
void add_cells(const Forecasts& ahead, std::int64_t value, std::vector<std::string>& cells) {
  cells.push_back(fmt::format("{:.7g}", ahead.point[value]));
  const std::int64_t Q = std::ssize(ahead.levels);
  for (std::int64_t q = 0; q < Q; ++q) {
    const double quantile = ahead.quantiles[value * Q + q];
    cells.push_back(std::isnan(quantile) ? "" : fmt::format("{:.7g}", quantile));
  }
}

// Sampled paths from the end of each series, a row for each step of each.
void write_paths(const Model& model, const ForecastData& data, const ForecastInfo& info, const PathOptions& asked,
                 RowSink& sink) {
  std::vector<std::string> columns{"sample", "step"};
  if (info.several) columns.insert(columns.begin(), "id");
  columns.insert(columns.end(), info.targets.begin(), info.targets.end());
  sink.header(columns);
  const std::int64_t K = std::ssize(info.targets);
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    const BasicTensor<double> paths = paths_ahead(model, data, info, static_cast<std::int64_t>(k), asked);
    for (std::int64_t row = 0; row < asked.paths * asked.steps; ++row) {
      std::vector<std::string> cells{std::to_string(row / asked.steps + 1), std::to_string(row % asked.steps + 1)};
      if (info.several) cells.insert(cells.begin(), data.series[k].id);
      for (std::int64_t j = 0; j < K; ++j) cells.push_back(fmt::format("{:.7g}", paths[row * K + j]));
      sink.row(cells);
    }
  }
}

// Prices are easily judged wrongly, so the user hears of --prices.
void note_prices(const DataOptions& options, const ForecastInfo& info, Observer& observer) {
  if (options.prices) return;
  for (const std::string& target : info.targets) {
    std::string name = target;
    std::ranges::transform(name, name.begin(), [](unsigned char letter) { return std::tolower(letter); });
    if (name.find("close") == std::string::npos && name.find("price") == std::string::npos) continue;
    observer.note(fmt::format("prices: '{}' looks like one; --prices scores returns and directions, too", target));
    return;
  }
}

// Beside `baselines`, whose forecasts are those of fits at each origin.
EvaluateResult score_refitted(const Model& model, const DataOptions& options, const ForecastScoring& scoring,
                              const std::vector<NamedForecasts>& baselines, Observer& observer) {
  const bool sliding = options.refit == "sliding";
  ForecastTable table(scoring, options.refit_model > 0 ? scoring.errors(refitted_model_forecasts(
                                                             model, scoring.data, scoring.windows, scoring.info,
                                                             {sliding, options.refit_model}, observer))
                                                       : model_errors(model, scoring));
  for (const NamedForecasts& one : baselines) table.add(one.name, scoring.errors(one.forecasts));
  return table.finish();
}

class Forecast final : public Task {
 public:
  std::string_view name() const override { return "forecast"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    CurveRecorder observer(outer);
    ForecastInfo info;
    set_output(options, info);
    ForecastData data = read_training_series(data_for(info.distribution, options.data), info);
    if (options.model.series_embedding > 0) number_series(data, info);
    for (const std::string& note : data.notes) observer.note(note);
    if (info.distribution == "negative_binomial") check_counts(data, info);
    TrainOptions wanted = options.train;
    if (wanted.loss.empty()) wanted.loss = info.several ? "mae" : "mse";
    ForecastInfo network_info = info.of_network();
    LinearStart start = fit_linear_start(data, network_info);
    start.width = network_outputs(network_info) / start.bias.elements();
    observer.note(start.description);
    const std::int64_t windows = std::ssize(data.training_windows(network_info.shape()));
    const ModelOptions model_options = resolve_forecast_model(options.model, info, windows, observer);
    if (model_options.strategy == "seq2seq" && wanted.bptt > 0) {
      fail(Code::kUsage, "--bptt: with --strategy seq2seq gradients go through the whole window; leave it out");
    }
    info.stateful = network_info.stateful = model_options.stateful;
    if (info.stateful && wanted.bptt == 0) wanted.bptt = 64;
    const TrainDefaults defaults = info.stateful ? stateful_defaults(windows, wanted.bptt) : forecast_defaults();
    const TrainOptions resolved = resolve_training(wanted, defaults, observer);

    const auto seed = static_cast<std::uint64_t>(resolved.seed);
    WindowClusters clusters;
    if (model_options.clusters > 0) clusters = cluster_windows(data, network_info, model_options, seed, observer);
    Model model("forecast", build_forecaster(model_options, network_info, start, clusters, seed));
    if (info.recursive) check_recursive(model.network(), info);
    calibrate_start(model.network(), data, network_info);
    model.set_task_data(info.to_json());
    note_kernels(model.network(), resolved, observer);
    const auto problem = make_forecast_problem(model.network(), data, network_info, resolved);
    TrainSummary summary;
    try {
      summary = train_network(*problem, model.network(), data, network_info, resolved,
                              trainer_options(resolved, defaults, options.output.run_dir), observer, info.kept_share);
    } catch (const Error& error) {
      if (error.code() == Code::kDiverged && problem->has_best())
        model.save(options.output.out);  // the last good weights
      throw;
    }
    info.training = resolved;
    info.kept_epochs = summary.best ? summary.best_epoch : summary.epochs;
    TrainResult result;
    const std::vector<WindowAt> validation = data.windows_in(&SeriesSplit::valid, info.shape());
    if (info.distribution == "point") {
      info.residuals = fit_residuals(model_forecasts(model, data, validation, info), data, validation, info, observer);
    }
    info.error_deviation = one_step_deviation(model, data, validation, info);
    model.set_task_data(info.to_json());
    static_cast<EvaluateResult&>(result) =
        score_forecasts(model, make_forecast_baselines(data, info), {data, info, validation});
    fill_result(result, summary, model, options.output, windows);
    model.set_training(training_json(summary, resolved, result));
    model.save(options.output.out);
    result.options = options;
    result.options.model = model_options;
    result.options.train = resolved;
    result.options.data.horizon = info.horizon;
    result.options.data.window = info.window;
    result.options.data.season = info.season;
    if (wants_report(options.output)) write_forecast_report(result.options, model, data, info, observer);
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    ForecastInfo info = ForecastInfo::from_model(model);
    if (options.model.samples > 0) {
      require_paths(info);
      info.paths = options.model.samples;
    }
    if (options.is_given("data.stride") && !options.data.backtest) {
      fail(Code::kUsage, "--stride: is the distance of the origins of --backtest, give both or neither");
    }
    if (options.data.leak_check && !options.data.test.empty()) {
      fail(Code::kUsage, "--leak-check changes the values after the origins of a part of --data; leave --test out");
    }
    check_refit(options, info);
    const ForecastEnsemble ensemble(info, options.model);
    info.members = ensemble.members();
    if (!options.data.test.empty()) return evaluate_on_test_file(model, options, info, observer);
    const ForecastData data = read_series_for_model(options.data.data, options.data, info, Parts::kAsTrained);
    for (const std::string& note : data.notes) observer.note(note);
    if (info.by_series) {
      observer.note("baselines: the training series are not at hand; linear_start stands for linear_autoregression");
    }
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
    note_prices(options.data, info, observer);
    const std::string part_name = options.data.part == "train" ? "training"
                                  : part == &SeriesSplit::test ? "test"
                                                               : "validation";
    EvaluateResult result =
        score(model, options, {data, info, windows, nullptr, options.data.scaled, options.data.prices},
              part_name + " part", observer);
    if (options.data.leak_check) result.notes.push_back(check_leaks(model, options.data, info, windows));
    return result;
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    const ForecastInfo info = ForecastInfo::from_model(model);
    const bool keeps_state = !options.output.state.empty();
    if (options.data.update && !keeps_state) fail(Code::kUsage, "--update: name the file to update with --state FILE");
    if (options.is_given("data.threshold") && !options.data.anomalies) {
      fail(Code::kUsage, "--threshold: is that of --anomalies, give both or neither");
    }
    if (!options.model.ensemble.empty() && (keeps_state || options.data.anomalies)) {
      fail(Code::kUsage, "--ensemble: --state and --anomalies are of one model; leave one of them out");
    }
    ForecastData data = options.data.update
                            ? read_updated_series(model, options, info)
                            : read_series_for_model(options.data.data, options.data, info, Parts::kAllKnown);
    for (const std::string& note : data.notes) sink.note(note);
    if (options.data.anomalies) write_anomalies(model, options, data, info, sink);
    if (keeps_state) carry_to_the_end(model, data, info);
    if (!options.data.anomalies) write_ahead(model, options, data, info, sink);
    if (keeps_state) write_forecast_state(model, options, data, info);
  }

  static void write_ahead(const Model& model, const Options& options, const ForecastData& data, ForecastInfo info,
                          RowSink& sink) {
    const std::int64_t steps = options.data.horizon > 0 ? options.data.horizon : info.horizon;
    if (options.model.samples > 0) {
      write_paths(model, data, info, {steps, options.model.samples}, sink);
      return;
    }
    const ForecastEnsemble ensemble(info, options.model);
    info.members = ensemble.members();
    const std::vector<double> levels = levels_to_write(options.model, info);
    std::vector<std::string> columns{"step"};
    if (info.several) columns.insert(columns.begin(), "id");
    const bool timed = data.series.front().times.understood();
    if (timed) columns.emplace_back("time");
    for (const std::string& target : info.targets) {
      columns.push_back(target);
      for (const double level : levels) columns.push_back(fmt::format("{}_p{:g}", target, 100 * level));
    }
    sink.header(columns);
    for (std::size_t k = 0; k < data.series.size(); ++k) {
      const Forecasts ahead = at_levels(forecast_ahead(model, data, info, static_cast<std::int64_t>(k), steps), levels);
      for (std::int64_t h = 0; h < steps; ++h) {
        std::vector<std::string> cells{std::to_string(h + 1)};
        if (info.several) cells.insert(cells.begin(), data.series[k].id);
        if (timed) cells.push_back(data.series[k].times.text(data.series[k].known_steps() + h));
        for (std::int64_t j = 0; j < std::ssize(info.targets); ++j)
          add_cells(ahead, h * std::ssize(info.targets) + j, cells);
        sink.row(cells);
      }
    }
  }

  DataReport check(const Options& options) const override {
    ForecastInfo info;
    const ForecastData data = read_training_series(options.data, info);
    DataReport report;
    report.facts = describe_series(data, info);
    report.facts.insert(report.facts.end(),
                        {{"season", std::to_string(info.season)},
                         {"window", std::to_string(info.window)},
                         {"horizon", std::to_string(info.horizon)},
                         {"training windows", std::to_string(data.training_windows(info.shape()).size())}});
    report.problems = data.problems;
    return report;
  }

 private:
  static EvaluateResult score(const Model& model, const Options& options, const ForecastScoring& scoring,
                              const std::string& part, Observer& observer) {
    const ForecastData& data = scoring.data;
    const ForecastInfo& info = scoring.info;
    const std::vector<WindowAt>& windows = scoring.windows;
    std::vector<NamedForecasts> forecasts;
    EvaluateResult result;
    if (options.data.refit != "none") {
      forecasts = refitted_forecasts(data, windows, info, options.data.refit == "sliding");
      if (!data.has_training_part()) {  // too little at the first origins for a linear map of their own
        const auto linear = linear_start_baseline(model.network(), info);
        forecasts.push_back({std::string(linear->name()), baseline_forecasts(*linear, data, windows, info)});
      }
      result = score_refitted(model, options.data, scoring, forecasts, observer);
    } else {
      const ForecastBaselines baselines = make_forecast_baselines(model, data, info);
      result = score_forecasts(model, baselines, scoring);
      if (wants_report(options.output)) forecasts = all_forecasts(baselines, data, windows, info);
    }
    if (wants_report(options.output)) {
      write_evaluation_report(options, model, std::move(forecasts), scoring, result, part);
    }
    return result;
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
      windows.push_back({static_cast<std::int64_t>(k), data.series[k].known_steps()});
    }
    return score(model, options, {data, info, windows, &test.series, options.data.scaled, options.data.prices},
                 file_names(options.data.test), observer);
  }
};

}  // namespace

const Task& forecast_task() {
  static const Forecast task;
  return task;
}

}  // namespace carousel
