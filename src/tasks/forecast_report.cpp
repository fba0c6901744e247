#include "tasks/forecast_report.h"

#include <algorithm>
#include <limits>

#include "base/file.h"
#include "tasks/data_files.h"
#include "tasks/forecast_score.h"
#include "tasks/report.h"

namespace carousel {
namespace {

// The forecasts of consecutive windows of the first series, end to end, for the rows of a part.
std::vector<double> drawn(const Forecasts& forecasts, const ForecastInfo& info, const std::vector<WindowAt>& windows,
                          Range part) {
  std::vector<double> values(static_cast<std::size_t>(part.size()), std::numeric_limits<double>::quiet_NaN());
  const std::int64_t K = std::ssize(info.targets);
  for (std::size_t n = 0; n < windows.size(); ++n) {
    if (windows[n].series != 0) continue;
    const double* window = forecasts.point.data() + static_cast<std::int64_t>(n) * forecasts.values();
    for (std::int64_t h = 0; h < info.horizon; ++h) {
      const std::int64_t row = windows[n].origin + h - part.begin;
      if (row >= 0 && row < part.size()) values[static_cast<std::size_t>(row)] = window[h * K];
    }
  }
  return values;
}

}  // namespace

void write_forecast_report(const Options& options, const Model& model, const ForecastData& data,
                           const ForecastInfo& info, const CurveRecorder& curves) {
  const bool has_test = data.splits.front().test.size() >= info.horizon;
  const auto part = has_test ? &SeriesSplit::test : &SeriesSplit::valid;
  const std::vector<WindowAt> windows = data.windows_in(part, info.shape(info.horizon));
  const ForecastBaselines baselines = make_forecast_baselines(data, info);
  const EvaluateResult result = score_forecasts(model, baselines, {data, info, windows});
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
    return DrawnForecast{name, drawn(in_units(forecasts, data, windows, info), info, windows, held_back)};
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

}  // namespace carousel
