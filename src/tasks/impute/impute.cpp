#include "tasks/impute/impute.h"

#include <cmath>
#include <utility>

#include "base/fail.h"
#include "tasks/forecast/forecast_metrics.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/impute/impute_report.h"
#include "tasks/impute/impute_score.h"
#include "tasks/report/report_files.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

// If no epoch beats linear interpolation on the validation part, that is kept, and the observer is told.
TrainSummary train_network(TaskProblem& problem, const TrainOptions& resolved, const TrainerOptions& options,
                           Observer& observer) {
  const std::optional<Validation> before = problem.validate();
  std::vector<Tensor> weights;
  for (const Parameter* parameter : problem.parameters()) weights.push_back(parameter->value);
  TrainSummary summary = train_within(resolved.max_memory, problem, options, observer);
  if (!before || !summary.best || summary.best->value < before->value) return summary;
  const std::vector<Parameter*> parameters = problem.parameters();
  for (std::size_t k = 0; k < parameters.size(); ++k) parameters[k]->value = weights[k];
  observer.note(fmt::format(
      "result: no epoch was better than linear interpolation ({} {:.4g} on the validation part); it is kept",
      before->metric, before->value));
  summary.best_epoch = 0;
  return summary;
}

void check_training_options(const Options& options) {
  const std::string& loss = options.train.loss;
  if (!loss.empty() && loss != "mse" && loss != "mae" && loss != "huber") {
    fail(Code::kUsage, "--loss {}: impute takes mse, mae or huber", loss);
  }
  if (options.train.bptt > 0) fail(Code::kUsage, "--bptt: not for impute, which learns from whole windows");
  if (options.data.transform.ends_with("difference")) {
    fail(Code::kUsage,
         "--transform {}: a value next to a missing one has no difference; impute takes none, log or "
         "box-cox",
         options.data.transform);
  }
}

// The series with their missing values, for training and for `data check`.
ForecastData read_to_learn(const Options& options, ImputeInfo& info) {
  check_training_options(options);
  DataOptions reading = options.data;
  reading.horizon = 1;
  info.series.reading.to_fill = true;
  info.series.levels =
      options.model.quantiles.empty() ? default_levels() : parse_levels(options.model.quantiles, "--quantiles");
  ForecastData data = read_training_series(reading, info.series);
  info.gaps = find_gaps(data.series, data.splits, info.targets());
  info.hidden = options.data.hide;
  return data;
}

HidingRule hiding_rule(const Options& options, const ImputeInfo& info) {
  return {options.data.hide, options.data.gap_length, info.gaps, info.targets()};
}

std::vector<ValueAt> missing_values(const ForecastData& data) {
  std::vector<ValueAt> places;
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    for (std::int64_t t = 0; t < data.series[k].time_steps(); ++t) {
      for (std::int64_t c = 0; c < data.target_count; ++c) {
        if (std::isnan(data.series[k].at(t, c))) places.push_back({static_cast<std::int64_t>(k), t, c});
      }
    }
  }
  return places;
}

std::int64_t training_rows(const ForecastData& data) {
  std::int64_t rows = 0;
  for (const SeriesSplit& split : data.splits) rows += split.train.size();
  return rows;
}

// "412 gaps of 1 to 155 rows", of the training parts.
std::string gaps_text(const std::vector<Gap>& gaps) {
  if (gaps.empty()) return "none between known values";
  const auto [least, most] =
      std::minmax_element(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.length < b.length; });
  return fmt::format("{} of {} to {} rows", gaps.size(), least->length, most->length);
}

// The columns of a row of the filled file.
std::vector<std::string> output_columns(const ForecastData& data, const ImputeInfo& info,
                                        const std::vector<double>& levels) {
  const Series& first = data.series.front();
  std::vector<std::string> columns;
  if (info.series.several || !first.id.empty()) columns.emplace_back("id");
  columns.emplace_back(first.times.empty() ? "step" : "time");
  for (std::int64_t c = 0; c < first.column_count(); ++c) {
    const std::string& name = columns.emplace_back(first.columns[static_cast<std::size_t>(c)]);
    if (c >= data.target_count) continue;
    const std::string target = name;
    columns.push_back(target + "_filled");
    for (const double level : levels) columns.push_back(fmt::format("{}_p{:g}", target, 100 * level));
  }
  return columns;
}

// A known value is written in the fewest digits that read as the same number.
void write_series(const ForecastData& data, std::size_t k, const ImputeInfo& info, const Forecasts& filled,
                  std::int64_t& next, RowSink& sink) {
  const Series& series = data.series[k];
  const std::size_t Q = filled.levels.size();
  for (std::int64_t t = 0; t < series.time_steps(); ++t) {
    std::vector<std::string> cells;
    if (info.series.several || !series.id.empty()) cells.push_back(series.id);
    cells.push_back(series.times.empty() ? std::to_string(t + 1) : series.times.text(t));
    for (std::int64_t c = 0; c < series.column_count(); ++c) {
      const double value = series.at(t, c);
      const bool target = c < data.target_count, fills = target && std::isnan(value);
      cells.push_back(fills               ? fmt::format("{:.7g}", filled.point[next])
                      : std::isnan(value) ? ""
                                          : fmt::format("{}", value));
      if (!target) continue;
      cells.emplace_back(fills ? "1" : "0");
      for (std::size_t q = 0; q < Q; ++q) {
        const std::int64_t at = next * static_cast<std::int64_t>(Q) + static_cast<std::int64_t>(q);
        cells.push_back(fills ? fmt::format("{:.7g}", filled.quantiles[at]) : "");
      }
      next += fills ? 1 : 0;
    }
    sink.row(cells);
  }
}

// The levels that `predict` writes: those asked for, else those of the 80 % interval.
std::vector<double> levels_to_write(const ModelOptions& options, const ImputeInfo& info) {
  const std::vector<double> levels = parse_levels(options.quantiles, "--quantiles");
  if (info.errors.empty() && !levels.empty()) {
    fail(Code::kUsage, "--quantiles: the model gives values only; it was trained without a validation part");
  }
  if (!levels.empty() || info.errors.empty()) return levels;
  return {0.1, 0.9};
}

class Impute final : public Task {
 public:
  std::string_view name() const override { return "impute"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    CurveRecorder observer(outer);
    ImputeInfo info;
    const ForecastData data = read_to_learn(options, info);
    for (const std::string& note : data.notes) observer.note(note);
    observer.note(fmt::format("gaps of the training part: {}", gaps_text(info.gaps)));
    TrainOptions wanted = options.train;
    if (wanted.loss.empty()) wanted.loss = info.series.several ? "mae" : "mse";
    const TrainDefaults defaults{.epochs = 200, .batch_size = 32, .patience = 20, .lr = 2e-3, .average_decay = 0.98};
    const ModelOptions model_options = resolve_impute_model(options.model, info.series, training_rows(data), observer);
    const TrainOptions resolved = resolve_training(wanted, defaults, observer);
    Model model("impute", build_imputer(model_options, info.series, static_cast<std::uint64_t>(resolved.seed)));
    model.set_task_data(info.to_json());
    note_kernels(model.network(), resolved, observer);
    const HidingRule rule = hiding_rule(options, info);
    ImputeProblem problem(model.network(), data, info, rule, resolved);
    TrainSummary summary;
    try {
      summary = train_network(problem, resolved, trainer_options(resolved, defaults, options.output.run_dir), observer);
    } catch (const Error& error) {
      if (error.code() == Code::kDiverged && problem.has_best())
        model.save(options.output.out);  // the last good weights
      throw;
    }
    const std::vector<HiddenValues> draws = hide_to_score(data, valid_part, rule);
    TrainResult result;
    if (draws.empty()) {
      observer.note("scores: none, since no two values of the validation part are known");
      result.task = "impute";
    } else {
      info.errors = fit_errors(model.network(), data, info, draws);
      model.set_task_data(info.to_json());
      static_cast<EvaluateResult&>(result) = score_imputation(model.network(), data, info, draws);
    }
    fill_result(result, summary, model, options.output, training_rows(data));
    model.set_training(training_json(summary, resolved, result));
    model.save(options.output.out);
    result.options = options;
    result.options.model = model_options;
    result.options.train = resolved;
    result.options.data.window = info.series.window;
    result.options.data.season = info.series.season;
    if (wants_report(options.output)) write_impute_report(result, observer, model.network(), data, info, draws);
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    const ImputeInfo info = ImputeInfo::from_model(model);
    const ForecastData data = read_series_for_model(options.data.data, options.data, info.series, Parts::kAsTrained);
    for (const std::string& note : data.notes) observer.note(note);
    const std::string& asked = options.data.part;
    const bool has_test = data.splits.front().test.size() > 0;
    const PartOf part = asked == "train"              ? train_part
                        : asked == "valid"            ? valid_part
                        : asked == "test" || has_test ? test_part
                                                      : valid_part;
    HidingRule rule = hiding_rule(options, info);
    if (!options.is_given("data.hide")) rule.share = info.hidden;
    const std::vector<HiddenValues> draws = hide_to_score(data, part, rule);
    if (draws.empty()) {
      fail(Code::kData,
           "{}: the part to evaluate has no two known values, of which one could be hidden; choose another "
           "--part",
           fmt::join(options.data.data, ", "));
    }
    EvaluateResult result = score_imputation(model.network(), data, info, draws);
    if (wants_report(options.output)) write_imputation_report(options, result, model, data, info, draws);
    return result;
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    if (!options.data.part.empty()) fail(Code::kUsage, "--part: predict fills the whole file; leave it out");
    const ImputeInfo info = ImputeInfo::from_model(model);
    const ForecastData data = read_series_for_model(options.data.data, options.data, info.series, Parts::kAllKnown);
    const std::vector<ValueAt> places = missing_values(data);
    const std::vector<double> levels = levels_to_write(options.model, info);
    const Forecasts filled = at_levels(fill_values(model.network(), info, data.series, data.scalers, places), levels);
    for (const std::string& line : data.notes) sink.note(line);
    sink.note(places.empty() ? "filled: nothing, no value is missing"
                             : fmt::format("filled: {} missing values", places.size()));
    sink.header(output_columns(data, info, levels));
    std::int64_t next = 0;
    for (std::size_t k = 0; k < data.series.size(); ++k) write_series(data, k, info, filled, next, sink);
  }

  DataReport check(const Options& options) const override {
    ImputeInfo info;
    const ForecastData data = read_to_learn(options, info);
    DataReport report;
    report.facts = describe_series(data, info.series);
    report.facts.insert(report.facts.end(), {{"season", std::to_string(info.series.season)},
                                             {"window", std::to_string(info.series.window)},
                                             {"missing values", std::to_string(missing_values(data).size())},
                                             {"gaps of the training part", gaps_text(info.gaps)}});
    report.problems = data.problems;
    return report;
  }
};

}  // namespace

const Task& impute_task() {
  static const Impute task;
  return task;
}

}  // namespace carousel
