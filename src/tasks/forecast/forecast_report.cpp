#include "tasks/forecast/forecast_report.h"

#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "tasks/forecast/forecast_cluster_pictures.h"
#include "tasks/forecast/forecast_pictures.h"
#include "tasks/report/report_files.h"
#include "tasks/report/run_report.h"

namespace carousel {
namespace {

constexpr std::int64_t kTargetsDrawn = 3, kErrorRows = 2000;

// What report and pictures of training and of evaluation share.
struct Scored {
  const Model& model;
  std::vector<NamedForecasts> baselines;
  const ForecastScoring& scoring;
  const EvaluateResult& result;
  std::string name;  // of the model among the methods
};

// Takes the forecasts of the baselines out of `scored`.
PicturedForecasts pictured_forecasts(Scored& scored) {
  const ForecastScoring& s = scored.scoring;
  PicturedForecasts pictured{s, {}, 0};
  pictured.methods.push_back(
      {scored.name, in_units(model_forecasts(scored.model, s.data, s.windows, s.info), s.data, s.windows, s.info)});
  double least = std::numeric_limits<double>::infinity();
  for (NamedForecasts& baseline : scored.baselines) {
    const auto row = std::ranges::find(scored.result.baselines, baseline.name, &Baseline::name);
    pictured.methods.push_back(
        {std::move(baseline.name), in_units(std::move(baseline.forecasts), s.data, s.windows, s.info)});
    if (row == scored.result.baselines.end() || row->metrics.front().second >= least) continue;
    least = row->metrics.front().second;
    pictured.best_baseline = pictured.methods.size() - 1;
  }
  return pictured;
}

// The rows that the forecasts of a series are about.
Range forecast_rows(const ForecastScoring& scoring, std::int64_t series) {
  Range rows{std::numeric_limits<std::int64_t>::max(), 0};
  for (const WindowAt& window : scoring.windows) {
    if (window.series != series) continue;
    rows.begin = std::min(rows.begin, window.origin);
    rows.end = std::max(rows.end, window.origin + scoring.info.horizon);
  }
  return rows;
}

// The errors of the first step at every row, of the last kErrorRows at most.
StepErrors first_step_errors(const Scored& scored, std::int64_t series, std::int64_t target) {
  const ForecastScoring& s = scored.scoring;
  StepErrors errors{forecast_rows(s, series), {}};
  errors.rows.begin = std::max({errors.rows.begin, errors.rows.end - kErrorRows, s.info.window});
  std::vector<WindowAt> windows;
  for (std::int64_t row = errors.rows.begin; row < errors.rows.end; ++row) windows.push_back({series, row});
  if (windows.empty()) return errors;
  const Forecasts next = in_units(model_forecasts(scored.model, s.data, windows, s.info), s.data, windows, s.info);
  const std::int64_t column = s.info.target_positions()[static_cast<std::size_t>(target)];
  const Series& happened = s.data.series[static_cast<std::size_t>(series)];
  for (std::int64_t n = 0; n < next.windows(); ++n) {
    errors.values.push_back(happened.at(errors.rows.begin + n, column) - next.point[n * next.values() + target]);
  }
  return errors;
}

void add_figures(Scored& scored, Report& report) {
  const ForecastScoring& scoring = scored.scoring;
  const PicturedForecasts pictured = pictured_forecasts(scored);
  std::int64_t series = scoring.windows.front().series;
  if (scoring.data.series.size() > 1) {
    const auto by_error = series_by_error(pictured);
    if (!by_error.empty()) series = by_error[by_error.size() / 2].first;
    report.facts.emplace_back("series",
                              fmt::format("{}; drawn: '{}', whose error is the median", scoring.data.series.size(),
                                          scoring.data.series[static_cast<std::size_t>(series)].id));
  }
  const std::int64_t targets = std::min(kTargetsDrawn, pictured.targets());
  if (targets < pictured.targets()) {
    report.facts.emplace_back("targets", fmt::format("{}, the first {} are drawn", pictured.targets(), targets));
  }
  for (std::int64_t j = 0; j < targets; ++j) {
    add_forecast_figures(pictured, series, j, forecast_rows(scoring, series), report.figures);
    if (scoring.actual) continue;  // of a test file only what follows one origin is known
    const std::string prefix =
        targets == 1 ? "" : cut_text(scoring.info.targets[static_cast<std::size_t>(j)], 40) + ": ";
    const std::size_t before = report.figures.size();
    add_error_figures(first_step_errors(scored, series, j), scoring.data.series[static_cast<std::size_t>(series)],
                      scoring.info.targets[static_cast<std::size_t>(j)], scoring.info.season, report.figures);
    for (std::size_t k = before; k < report.figures.size(); ++k) report.figures[k].heading.insert(0, prefix);
  }
  add_cluster_figures(scored.model.network(), scoring, series, forecast_rows(scoring, series), report.figures);
  if (scoring.data.series.size() > 1) add_worst_series_figure(pictured, report.figures);
}

Report report_of(const Options& options, const Scored& scored, const std::string& part) {
  Report report;
  const ForecastInfo& info = scored.scoring.info;
  report.title = fmt::format("Forecast of {}", file_names(options.data.data));
  report.facts = {{"parameters", std::to_string(scored.model.parameter_count())},
                  {"horizon", count_text(info.horizon, "step")},
                  {"window", count_text(info.window, "step")}};
  report.part = fmt::format("{}, {} of {}", part, count_text(scored.result.samples, "forecast"),
                            count_text(info.horizon, "step"));
  report.model = scored.name;
  report.metrics = scored.result.metrics;
  report.baselines = scored.result.baselines;
  return report;
}

}  // namespace

void write_forecast_report(const Options& options, const Model& model, const ForecastData& data,
                           const ForecastInfo& info, const CurveRecorder& curves) {
  const bool has_test = data.splits.front().test.size() >= info.horizon;
  const std::vector<WindowAt> windows =
      data.windows_in(has_test ? &SeriesSplit::test : &SeriesSplit::valid, info.shape(info.horizon));
  const ForecastScoring scoring{data, info, windows};
  const ForecastBaselines baselines = make_forecast_baselines(data, info);
  const EvaluateResult result = score_forecasts(model, baselines, scoring);
  Scored scored{model, all_forecasts(baselines, data, windows, info), scoring, result, options.model.cell};
  Report report = report_of(options, scored, has_test ? "test part" : "validation part");
  report.facts.insert(report.facts.begin(), {"cell", options.model.cell});
  add_notes(curves.notes(), report);
  add_figures(scored, report);
  report.figures.push_back({"Loss", "Training and validation loss by epoch", chart_svg(loss_chart(curves.epochs()))});
  add_saturation_figure(curves.epochs(), report.figures);
  write_report_files(options.output, report);
}

void write_evaluation_report(const Options& options, const Model& model, std::vector<NamedForecasts> baselines,
                             const ForecastScoring& scoring, const EvaluateResult& result, const std::string& part) {
  Scored scored{model, std::move(baselines), scoring, result, "model"};
  Report report = report_of(options, scored, part);
  if (scoring.scaled) report.part += "; the table in scaled units, the pictures in those of the data";
  add_figures(scored, report);
  write_report_files(options.output, report);
}

}  // namespace carousel
