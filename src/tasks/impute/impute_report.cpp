#include "tasks/impute/impute_report.h"

#include <algorithm>

#include "base/fail.h"
#include "data/series/series_fill.h"
#include "tasks/report/report_files.h"
#include "tasks/report/run_report.h"

namespace carousel {
namespace {

constexpr std::int64_t kShownRows = 150;  // of the picture

// The column of the first hidden value, from some rows before it on.
Figure filled_figure(Sequential& network, const ForecastData& data, const ImputeInfo& info, const HiddenValues& draw) {
  const ValueAt first = draw.places.front();
  const auto k = static_cast<std::size_t>(first.series);
  const Series& series = data.series[k];
  const std::int64_t rows = draw.series[k].time_steps();
  const std::int64_t begin = std::max<std::int64_t>(std::min(first.row - kShownRows / 10, rows - kShownRows), 0);
  const std::int64_t end = std::min(begin + kShownRows, rows);
  const std::string& target = info.series.targets[static_cast<std::size_t>(first.target)];
  const Series straight = interpolate(draw.series[k]);
  const Forecasts filled = fill_values(network, info, draw.series, data.scalers, draw.places);

  ChartLine actual{target, {}, {}}, model{"filled", {}, {}}, line{"interpolation", {}, {}};
  model.points = line.points = true;
  LineChart chart;
  chart.x_label = series.times.empty() ? "row" : "time";
  chart.y_label = target;
  chart.description = "a column with values that were hidden, and what was filled in";
  for (std::int64_t t = begin; t < end; ++t) {
    actual.x.push_back(static_cast<double>(t - begin));
    actual.y.push_back(series.at(t, first.target));
    chart.x_names.push_back(series.times.empty() ? std::to_string(t + 1) : series.times.text(t));
  }
  for (std::size_t i = 0; i < draw.places.size(); ++i) {
    const ValueAt& place = draw.places[i];
    if (place.series != first.series || place.target != first.target || place.row < begin || place.row >= end) continue;
    model.x.push_back(static_cast<double>(place.row - begin));
    model.y.push_back(filled.point[static_cast<std::int64_t>(i)]);
    line.x.push_back(model.x.back());
    line.y.push_back(straight.at(place.row, first.target));
  }
  chart.lines = {std::move(actual), std::move(model), std::move(line)};
  return {"Hidden values",
          fmt::format("The line is what was measured; circles stand where it was hidden{}",
                      series.id.empty() ? "" : ", of series " + series.id),
          chart_svg(chart)};
}

}  // namespace

void write_impute_report(const TrainResult& result, const CurveRecorder& curves, Sequential& network,
                         const ForecastData& data, const ImputeInfo& info, std::span<const HiddenValues> draws) {
  const Options& options = result.options;
  Report report = training_report(fmt::format("Missing values of {}", file_names(options.data.data)),
                                  {"cell", options.model.cell}, "hidden values", result, curves);
  if (!draws.empty()) report.figures.push_back(filled_figure(network, data, info, draws.front()));
  add_saturation_figure(curves.epochs(), report.figures);
  write_report_files(options.output, report);
}

void write_imputation_report(const Options& options, const EvaluateResult& result, const Model& model,
                             const ForecastData& data, const ImputeInfo& info, std::span<const HiddenValues> draws) {
  Report report = evaluation_report(options, "hidden values", result, model);
  report.figures.push_back(filled_figure(model.network(), data, info, draws.front()));
  write_report_files(options.output, report);
}

}  // namespace carousel
