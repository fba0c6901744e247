#include "tasks/forecast/forecast_pictures.h"

#include <algorithm>
#include <limits>

#include "base/fail.h"

namespace carousel {
namespace {

constexpr double kNotThere = std::numeric_limits<double>::quiet_NaN();
constexpr double kPanelHeight = 250;

// A series with what happened after its end behind it, if that came from another file.
Series whole_series(const ForecastScoring& scoring, std::int64_t series) {
  Series whole = scoring.data.series[static_cast<std::size_t>(series)];
  if (!scoring.actual) return whole;
  const Series& after = (*scoring.actual)[static_cast<std::size_t>(series)];
  whole.values.insert(whole.values.end(), after.values.begin(), after.values.end());
  std::vector<std::string> times = whole.times.texts(0, whole.times.size());
  for (std::string& time : after.times.texts(0, after.times.size())) times.push_back(std::move(time));
  whole.times = std::ssize(times) == whole.time_steps() ? TimeAxis(times) : TimeAxis();
  return whole;
}

LineChart series_chart(const Series& series, std::int64_t column, Range shown) {
  LineChart chart;
  const std::string& name = series.columns[static_cast<std::size_t>(column)];
  chart.y_label = name;
  chart.x_label = series.times.empty() ? "row" : "time";
  if (!series.times.empty()) chart.x_names = series.times.texts(shown.begin, shown.end);
  ChartLine& actual = chart.lines.emplace_back();
  actual.name = name;
  for (std::int64_t t = shown.begin; t < shown.end; ++t) {
    // Without times x is the row itself; with times it counts from the first name.
    actual.x.push_back(static_cast<double>(chart.x_names.empty() ? t : t - shown.begin));
    actual.y.push_back(series.at(t, column));
  }
  return chart;
}

// The points of forecasts end to end, for the rows of the held-back part.
std::vector<double> joined_points(const PicturedForecasts& pictured, const FanView& view, Range held_back) {
  std::vector<double> values(static_cast<std::size_t>(held_back.size()), kNotThere);
  const Forecasts& model = pictured.model();
  for (const std::size_t n : view.windows) {
    for (std::int64_t h = 0; h < pictured.scoring.info.horizon; ++h) {
      const std::int64_t row = pictured.scoring.windows[n].origin + h - held_back.begin;
      if (row < 0 || row >= held_back.size()) continue;
      values[static_cast<std::size_t>(row)] =
          model.point[static_cast<std::int64_t>(n) * model.values() + h * pictured.targets() + view.target];
    }
  }
  return values;
}

// Appends the points of one window, and a gap behind them where they are no continuous line.
void append_points(const Forecasts& forecasts, const PicturedForecasts& pictured, std::size_t n, std::int64_t target,
                   double x, ChartLine& line) {
  const std::int64_t horizon = pictured.scoring.info.horizon;
  for (std::int64_t h = 0; h < horizon; ++h) {
    line.x.push_back(x + static_cast<double>(h));
    line.y.push_back(
        forecasts.point[static_cast<std::int64_t>(n) * forecasts.values() + h * pictured.targets() + target]);
  }
  if (horizon > 1) line.x.push_back(kNotThere), line.y.push_back(kNotThere);
}

void append_band(const PicturedForecasts& pictured, std::size_t n, std::int64_t target, double x,
                 const CentralInterval& interval, ChartBand& band) {
  const Forecasts& model = pictured.model();
  const std::int64_t horizon = pictured.scoring.info.horizon, levels = std::ssize(model.levels);
  for (std::int64_t h = 0; h < horizon; ++h) {
    const double* quantiles =
        model.quantiles.data() +
        (static_cast<std::int64_t>(n) * model.values() + h * pictured.targets() + target) * levels;
    band.x.push_back(x + static_cast<double>(h));
    band.low.push_back(quantiles[interval.low]);
    band.high.push_back(quantiles[interval.high]);
  }
  if (horizon > 1) band.x.push_back(kNotThere), band.low.push_back(kNotThere), band.high.push_back(kNotThere);
}

const std::string& target_name(const PicturedForecasts& pictured, std::int64_t target) {
  return pictured.scoring.info.targets[static_cast<std::size_t>(target)];
}

// "price: " where there are several.
std::string heading_of(const PicturedForecasts& pictured, std::int64_t target, const std::string& text) {
  return pictured.targets() == 1 ? text : fmt::format("{}: {}", cut_text(target_name(pictured, target), 40), text);
}

// "series 'H1', " where there are several.
std::string series_text(const PicturedForecasts& pictured, std::int64_t series) {
  if (pictured.scoring.data.series.size() == 1) return "";
  return fmt::format("Series '{}'. ", cut_text(pictured.scoring.data.series[static_cast<std::size_t>(series)].id, 40));
}

std::string interval_text(const PicturedForecasts& pictured) {
  std::vector<std::string> shares;
  for (const CentralInterval& interval : central_intervals(pictured.model().levels)) {
    shares.push_back(fmt::format("{:.3g} %", 100 * interval.share));
  }
  return shares.empty()
             ? ""
             : fmt::format(". Shaded: the intervals that should hold {} of the values", fmt::join(shares, " and "));
}

void add_closer_figure(const PicturedForecasts& pictured, FanView view, Range held_back, std::vector<Figure>& figures) {
  constexpr std::int64_t kFewest = 200;
  constexpr std::size_t kMostMarks = 40;
  const std::int64_t horizon = pictured.scoring.info.horizon;
  const std::int64_t last = pictured.scoring.windows[view.windows.back()].origin + horizon;
  const std::int64_t rows = std::max(kFewest, 8 * horizon);
  // Some of what was known before, too.
  view.shown = {std::max<std::int64_t>(0, std::max(last - rows, held_back.begin - rows / 8)), last};
  std::erase_if(view.windows, [&](std::size_t n) { return pictured.scoring.windows[n].origin < view.shown.begin; });
  LineChart chart = fan_chart(pictured, view);
  const bool marked = chart.marks.size() <= kMostMarks;
  if (!marked) chart.marks.clear();
  figures.push_back(
      {heading_of(pictured, view.target, "Closer"),
       fmt::format("The last {} rows, forecasts of {} end to end{}{}", view.shown.size(), count_text(horizon, "step"),
                   marked ? ", each made at a dotted line" : "", interval_text(pictured)),
       chart_svg(chart)});
}

void add_origins_figure(const PicturedForecasts& pictured, std::int64_t series, std::int64_t target,
                        const std::vector<std::size_t>& windows, std::vector<Figure>& figures) {
  constexpr std::size_t kMost = 6;
  const std::size_t count = std::min(kMost, windows.size());
  std::vector<LineChart> panels;
  for (std::size_t i = 0; i < count; ++i) {  // the first, the last, and evenly between
    const std::size_t at = count == 1 ? 0 : i * (windows.size() - 1) / (count - 1);
    panels.push_back(origin_chart(pictured, windows[at], target));
  }
  figures.push_back({heading_of(pictured, target, "From their origins"),
                     fmt::format("{}{} of {}, from the last value known{}", series_text(pictured, series), count,
                                 count_text(std::ssize(windows), "forecast"), interval_text(pictured)),
                     panels_svg(std::move(panels), count == 1 ? 1 : 2)});
}

}  // namespace

std::string count_text(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

LineChart forecast_chart(const Series& series, std::int64_t column, Range shown, Range held_back,
                         std::span<const DrawnForecast> forecasts) {
  LineChart chart = series_chart(series, column, shown);
  chart.description = fmt::format("{}: what happened and the forecasts for the held-back part", chart.y_label);
  const double start = chart.lines[0].x.front() + static_cast<double>(held_back.begin - shown.begin);
  for (const DrawnForecast& forecast : forecasts) {
    ChartLine& line = chart.lines.emplace_back();
    line.name = forecast.name;
    line.dashed = chart.lines.size() > 2;  // the first one is the model's
    for (std::size_t i = 0; i < forecast.values.size(); ++i) {
      line.x.push_back(start + static_cast<double>(i));
      line.y.push_back(forecast.values[i]);
    }
  }
  chart.shaded_from = start;
  chart.shaded_to = start + static_cast<double>(std::max<std::int64_t>(held_back.size() - 1, 0));
  chart.shaded_name = "held back";
  return chart;
}

LineChart fan_chart(const PicturedForecasts& pictured, const FanView& view) {
  const Series series = whole_series(pictured.scoring, view.series);
  const std::int64_t column = pictured.scoring.info.target_positions()[static_cast<std::size_t>(view.target)];
  LineChart chart = series_chart(series, column, view.shown);
  chart.description = fmt::format("{}: what happened, and forecasts from their origins", chart.y_label);
  const double first = chart.lines[0].x.front() - static_cast<double>(view.shown.begin);
  const auto intervals = central_intervals(pictured.model().levels);
  for (const CentralInterval& interval : intervals) {
    chart.bands.push_back({fmt::format("{:.3g} %", 100 * interval.share), {}, {}, {}});
  }
  ChartLine model{.name = pictured.methods.front().name, .x = {}, .y = {}}, other{.name = "", .x = {}, .y = {}};
  for (const std::size_t n : view.windows) {
    const std::int64_t origin = pictured.scoring.windows[n].origin;
    const double x = first + static_cast<double>(origin);
    if (view.from_last_value && origin > view.shown.begin) {
      const double known = series.at(origin - 1, column);
      for (ChartLine* line : {&model, &other}) line->x.push_back(x - 1), line->y.push_back(known);
      for (ChartBand& band : chart.bands) {
        band.x.push_back(x - 1), band.low.push_back(known), band.high.push_back(known);
      }
    }
    append_points(pictured.model(), pictured, n, view.target, x, model);
    if (pictured.best_baseline > 0) {
      append_points(pictured.methods[pictured.best_baseline].forecasts, pictured, n, view.target, x, other);
    }
    for (std::size_t k = 0; k < intervals.size(); ++k) {
      append_band(pictured, n, view.target, x, intervals[k], chart.bands[k]);
    }
    chart.marks.push_back(x - 0.5);
  }
  chart.lines.push_back(std::move(model));
  if (pictured.best_baseline > 0) {
    other.name = pictured.methods[pictured.best_baseline].name;
    other.dashed = true;
    chart.lines.push_back(std::move(other));
  }
  return chart;
}

std::vector<std::size_t> end_to_end(const PicturedForecasts& pictured, std::int64_t series) {
  std::vector<std::size_t> chosen;
  std::int64_t free = 0;
  for (std::size_t n = 0; n < pictured.scoring.windows.size(); ++n) {
    const WindowAt& window = pictured.scoring.windows[n];
    if (window.series != series || window.origin < free) continue;
    chosen.push_back(n);
    free = window.origin + pictured.scoring.info.horizon;
  }
  return chosen;
}

LineChart origin_chart(const PicturedForecasts& pictured, std::size_t window, std::int64_t target) {
  const WindowAt& at = pictured.scoring.windows[window];
  const std::int64_t horizon = pictured.scoring.info.horizon;
  const std::int64_t before =
      std::max(std::clamp<std::int64_t>(2 * horizon, 12, 400), std::min(pictured.scoring.info.season, 4 * horizon));
  FanView view{at.series, target, {window}, {std::max<std::int64_t>(0, at.origin - before), at.origin + horizon}, true};
  LineChart chart = fan_chart(pictured, view);
  const Series& series = pictured.scoring.data.series[static_cast<std::size_t>(at.series)];
  const bool named = at.origin - 1 < series.times.size();
  chart.title =
      named ? fmt::format("after {}", series.times.text(at.origin - 1)) : fmt::format("after row {}", at.origin);
  chart.height = kPanelHeight;
  return chart;
}

void add_forecast_figures(const PicturedForecasts& pictured, std::int64_t series, std::int64_t target, Range held_back,
                          std::vector<Figure>& figures) {
  const FanView view{series, target, end_to_end(pictured, series), {}};
  const Series whole = whole_series(pictured.scoring, series);
  const std::int64_t column = pictured.scoring.info.target_positions()[static_cast<std::size_t>(target)];
  const DrawnForecast line{pictured.methods.front().name, joined_points(pictured, view, held_back)};
  const std::int64_t horizon = pictured.scoring.info.horizon;
  figures.push_back({heading_of(pictured, target, "The series"),
                     fmt::format("{}Forecasts of {} end to end over the held-back part", series_text(pictured, series),
                                 count_text(horizon, "step")),
                     chart_svg(forecast_chart(whole, column, {0, whole.time_steps()}, held_back, {&line, 1}))});
  if (view.windows.size() > 1) add_closer_figure(pictured, view, held_back, figures);
  if (horizon > 1) {
    add_origins_figure(pictured, series, target, view.windows, figures);
    figures.push_back({heading_of(pictured, target, "Error by step"),
                       fmt::format("Over {}{}", count_text(std::ssize(pictured.scoring.windows), "forecast"),
                                   pictured.scoring.info.several
                                       ? "; divided by the mean change from season to season in each training part"
                                       : ""),
                       chart_svg(step_error_chart(pictured, target))});
  }
  if (pictured.model().levels.empty()) return;
  std::vector<LineChart> panels{calibration_chart(pictured, target)};
  if (horizon > 1 && !central_intervals(pictured.model().levels).empty()) {
    panels.push_back(coverage_chart(pictured, target));
  }
  for (LineChart& panel : panels) panel.height = 300;
  const int columns = static_cast<int>(panels.size());
  figures.push_back({heading_of(pictured, target, "Calibration"),
                     "Left: how many values lie below each quantile; on the dashed line as many as should. Right: how "
                     "many lie inside the intervals at each step, dashed: how many should",
                     panels_svg(std::move(panels), columns)});
}

void add_error_figures(const StepErrors& errors, const Series& series, const std::string& target, std::int64_t season,
                       std::vector<Figure>& figures) {
  const bool any = std::any_of(errors.values.begin(), errors.values.end(), [](double v) { return std::isfinite(v); });
  if (!any) return;
  figures.push_back({"Errors over time",
                     fmt::format("What happened less the forecast of the step before, {} rows", errors.rows.size()),
                     chart_svg(error_chart(errors, series, target))});
  std::vector<LineChart> panels{autocorrelation_chart(errors, season),
                                histogram_chart(errors.values, fmt::format("error, {}", target))};
  for (LineChart& panel : panels) panel.height = 280;
  figures.push_back({"Distribution of the errors",
                     "Of the same errors. Autocorrelation beyond the shaded band, which holds 95 % of what independent "
                     "errors give, is structure that the model leaves unused",
                     panels_svg(std::move(panels), 2)});
}

void add_worst_series_figure(const PicturedForecasts& pictured, std::vector<Figure>& figures) {
  constexpr std::size_t kMost = 5;
  std::vector<std::pair<std::int64_t, double>> worst = series_by_error(pictured);
  const std::size_t all = worst.size();
  worst.resize(std::min(kMost, all));
  std::vector<LineChart> panels;
  for (const auto& [series, mase] : worst) {
    LineChart chart = origin_chart(pictured, end_to_end(pictured, series).back(), 0);
    chart.title = fmt::format("{}: mase {:.3g}",
                              cut_text(pictured.scoring.data.series[static_cast<std::size_t>(series)].id, 30), mase);
    panels.push_back(std::move(chart));
  }
  figures.push_back({"The worst series",
                     fmt::format("The {} of {} series with the largest mean scaled error, the last forecast of each{}",
                                 panels.size(), all, interval_text(pictured)),
                     panels_svg(std::move(panels), 2)});
}

}  // namespace carousel
