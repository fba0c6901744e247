#include "tasks/forecast/forecast_diagnostics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/fail.h"
#include "data/series/season.h"
#include "tasks/forecast/error_scales.h"

namespace carousel {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

double share_of(std::int64_t some, std::int64_t all) {
  return all == 0 ? kMissing : static_cast<double>(some) / static_cast<double>(all);
}

// What errors of a target are divided by, for each series.
std::vector<double> scales_of_series(const ForecastScoring& scoring, std::int64_t target) {
  std::vector<double> scales;
  for (std::size_t k = 0; k < scoring.data.series.size(); ++k) {
    scales.push_back(mase_scales(scoring.data, scoring.info, k)[static_cast<std::size_t>(target)]);
  }
  return scales;
}

// Whether the smaller ones would lie flat on the axis: the largest more than eight times the smallest, all above 0.
bool errors_differ_much(const std::vector<ChartLine>& lines) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const ChartLine& line : lines) {
    for (const double error : line.y) {
      low = std::min(low, std::isfinite(error) ? error : low);
      high = std::max(high, std::isfinite(error) ? error : high);
    }
  }
  return low > 0 && high > 8 * low;
}

std::string percent_text(double share) { return fmt::format("{:.3g} %", 100 * share); }

}  // namespace

double PicturedForecasts::happened(const WindowAt& window, std::int64_t step, std::int64_t target) const {
  const auto k = static_cast<std::size_t>(window.series);
  const std::int64_t column = scoring.info.target_positions()[static_cast<std::size_t>(target)];
  return scoring.actual ? (*scoring.actual)[k].at(step, column)
                        : scoring.data.series[k].at(window.origin + step, column);
}

std::vector<CentralInterval> central_intervals(const std::vector<double>& levels) {
  std::vector<CentralInterval> all;
  for (std::size_t low = 0, high = levels.size(); low + 1 < high;) {
    const double sum = levels[low] + levels[high - 1];
    if (std::abs(sum - 1) < 1e-9) all.push_back({low, high - 1, levels[high - 1] - levels[low]});
    sum < 1 + 1e-9 ? ++low : --high;
  }
  std::vector<CentralInterval> chosen;
  for (const double wanted : {0.8, 0.5}) {
    const auto nearest = std::min_element(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return std::abs(a.share - wanted) < std::abs(b.share - wanted);
    });
    if (nearest == all.end() || (!chosen.empty() && chosen.front().low == nearest->low)) continue;
    chosen.push_back(*nearest);
  }
  return chosen;
}

LineChart step_error_chart(const PicturedForecasts& pictured, std::int64_t target) {
  const ForecastScoring& scoring = pictured.scoring;
  const ForecastInfo& info = scoring.info;
  const std::vector<double> scales = scales_of_series(scoring, target);
  const std::string& name = info.targets[static_cast<std::size_t>(target)];
  LineChart chart{.x_label = "steps after the origin",
                  .y_label = info.several ? "mean scaled error" : fmt::format("mean absolute error, {}", name),
                  .description = fmt::format("error of every method at each step, {}", name)};
  chart.lines.emplace_back();  // the colour of what happened stays free
  for (const MethodForecasts& method : pictured.methods) {
    ChartLine line{.name = method.name, .x = {}, .y = {}, .dashed = chart.lines.size() > 1};
    for (std::int64_t h = 0; h < info.horizon; ++h) {
      ForecastScore score;
      for (std::size_t n = 0; n < scoring.windows.size(); ++n) {
        const WindowAt& window = scoring.windows[n];
        const double actual = pictured.happened(window, h, target);
        const std::int64_t at =
            static_cast<std::int64_t>(n) * method.forecasts.values() + h * pictured.targets() + target;
        if (!std::isfinite(actual)) continue;
        score.add({&method.forecasts.point[at], 1}, {&actual, 1},
                  {&scales[static_cast<std::size_t>(window.series)], 1});
      }
      line.x.push_back(static_cast<double>(h + 1));
      line.y.push_back(score.windows() == 0 ? kMissing : info.several ? score.mase() : score.mae());
    }
    chart.lines.push_back(std::move(line));
  }
  chart.log_y = errors_differ_much(chart.lines);
  return chart;
}

LineChart calibration_chart(const PicturedForecasts& pictured, std::int64_t target) {
  const Forecasts& model = pictured.model();
  const std::int64_t levels = std::ssize(model.levels);
  std::vector<std::int64_t> below(model.levels.size(), 0);
  std::int64_t known = 0;
  for (std::int64_t n = 0; n < model.windows(); ++n) {
    for (std::int64_t h = 0; h < pictured.scoring.info.horizon; ++h) {
      const double actual = pictured.happened(pictured.scoring.windows[static_cast<std::size_t>(n)], h, target);
      if (!std::isfinite(actual)) continue;
      ++known;
      const std::int64_t at = (n * model.values() + h * pictured.targets() + target) * levels;
      for (std::int64_t q = 0; q < levels; ++q) {
        below[static_cast<std::size_t>(q)] += actual <= model.quantiles[at + q];
      }
    }
  }
  LineChart chart{.x_label = "level of the quantile",
                  .y_label = "share of values below it",
                  .description = "share of values below each quantile, over its level",
                  .measured_x = true};
  chart.title = "Quantiles";
  chart.lines = {{"ideal", {0, 1}, {0, 1}, true}, {pictured.methods.front().name, model.levels, {}}};
  for (const std::int64_t count : below) chart.lines[1].y.push_back(share_of(count, known));
  return chart;
}

LineChart coverage_chart(const PicturedForecasts& pictured, std::int64_t target) {
  const Forecasts& model = pictured.model();
  const std::int64_t levels = std::ssize(model.levels), horizon = pictured.scoring.info.horizon;
  LineChart chart{.x_label = "steps after the origin",
                  .y_label = "share of values inside",
                  .description = "share of values inside the central intervals at each step"};
  chart.title = "Coverage";
  chart.lines.push_back({.name = "ideal", .x = {}, .y = {}, .dashed = true});
  for (const CentralInterval& interval : central_intervals(model.levels)) {
    ChartLine line{.name = fmt::format("{} interval", percent_text(interval.share)), .x = {}, .y = {}};
    for (std::int64_t h = 0; h < horizon; ++h) {
      std::int64_t inside = 0, known = 0;
      for (std::int64_t n = 0; n < model.windows(); ++n) {
        const double actual = pictured.happened(pictured.scoring.windows[static_cast<std::size_t>(n)], h, target);
        const double* quantiles =
            model.quantiles.data() + (n * model.values() + h * pictured.targets() + target) * levels;
        known += std::isfinite(actual);
        inside += actual >= quantiles[interval.low] && actual <= quantiles[interval.high];
      }
      line.x.push_back(static_cast<double>(h + 1));
      line.y.push_back(share_of(inside, known));
    }
    chart.lines.push_back(std::move(line));
    ChartLine& ideal = chart.lines.front();
    if (!ideal.x.empty()) ideal.x.push_back(kMissing), ideal.y.push_back(kMissing);
    ideal.x.insert(ideal.x.end(), {1, static_cast<double>(horizon)});
    ideal.y.insert(ideal.y.end(), {interval.share, interval.share});
  }
  return chart;
}

LineChart error_chart(const StepErrors& errors, const Series& series, const std::string& target) {
  LineChart chart{.x_label = series.times.empty() ? "row" : "time",
                  .y_label = fmt::format("error, {}", target),
                  .description = "errors of the first step over time"};
  chart.height = 240;
  const bool named = !series.times.empty();
  if (named) chart.x_names = series.times.texts(errors.rows.begin, errors.rows.end);
  ChartLine& line = chart.lines.emplace_back();
  for (std::int64_t i = 0; i < errors.rows.size(); ++i) {
    line.x.push_back(static_cast<double>(named ? i : errors.rows.begin + i));
  }
  line.y = errors.values;
  const double first = line.x.front(), last = line.x.back();
  chart.lines.push_back({.name = "", .x = {first, last}, .y = {0, 0}, .dashed = true});
  return chart;
}

LineChart autocorrelation_chart(const StepErrors& errors, std::int64_t season) {
  std::vector<double> values = errors.values;
  double sum = 0;
  std::int64_t known = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    ++known;
  }
  for (double& value : values) {
    if (!std::isfinite(value)) value = sum / static_cast<double>(known);
  }
  const std::int64_t lags = std::clamp<std::int64_t>(std::max<std::int64_t>(40, season + season / 10), 1,
                                                     std::max<std::int64_t>(1, std::min<std::int64_t>(known / 3, 200)));
  const std::vector<double> correlation = autocorrelation(values, lags);
  LineChart chart{.x_label = "lag in steps",
                  .y_label = "autocorrelation",
                  .description = "autocorrelation of the errors of the first step"};
  chart.title = "Autocorrelation of the errors";
  const double bound = 1.96 / std::sqrt(static_cast<double>(known)), end = static_cast<double>(lags) + 0.5;
  chart.bands = {{"95 % of independent errors", {0.5, end}, {-bound, -bound}, {bound, bound}}};
  for (std::int64_t lag = 1; lag <= lags; ++lag) {
    const auto at = static_cast<double>(lag);
    chart.bars.push_back({at - 0.3, at + 0.3, correlation[static_cast<std::size_t>(lag)]});
  }
  return chart;
}

LineChart histogram_chart(std::vector<double> values, const std::string& unit) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  double mean = 0, square = 0;
  for (const double value : values) mean += value / count;
  for (const double value : values) square += (value - mean) * (value - mean) / count;
  const double deviation = std::sqrt(square), span = values.back() - values.front();
  // Freedman and Diaconis 1981: bins of 2 IQR / n^(1/3).
  const double spread = values[values.size() * 3 / 4] - values[values.size() / 4];
  const double wanted = spread > 0 ? span / (2 * spread / std::cbrt(count)) : 1;
  const auto bins = static_cast<std::size_t>(std::clamp(std::ceil(wanted), 1.0, 60.0));
  const double width = span > 0 ? span / static_cast<double>(bins) : 1, first = span > 0 ? values.front() : mean - 0.5;
  LineChart chart{.x_label = unit, .y_label = "count", .description = fmt::format("histogram: {}", unit)};
  chart.measured_x = true;
  chart.title = "Histogram";
  for (std::size_t b = 0; b < bins; ++b) {
    const double from = first + static_cast<double>(b) * width;
    chart.bars.push_back({from, from + width, 0});
  }
  for (const double value : values) {
    const auto b = static_cast<std::size_t>(std::max(0.0, (value - first) / width));
    chart.bars[std::min(b, bins - 1)].height += 1;
  }
  chart.lines = {{}, {.name = "normal distribution", .x = {}, .y = {}}};
  for (int i = 0; deviation > 0 && i <= 100; ++i) {
    const double x = values.front() + span * i / 100, z = (x - mean) / deviation;
    chart.lines[1].x.push_back(x);
    chart.lines[1].y.push_back(count * width * std::exp(-z * z / 2) / (deviation * std::sqrt(2 * M_PI)));
  }
  return chart;
}

std::vector<std::pair<std::int64_t, double>> series_by_error(const PicturedForecasts& pictured) {
  const ForecastScoring& scoring = pictured.scoring;
  std::map<std::int64_t, ForecastScore> scores;
  for (std::int64_t j = 0; j < pictured.targets(); ++j) {
    const std::vector<double> scales = scales_of_series(scoring, j);
    for (std::size_t n = 0; n < scoring.windows.size(); ++n) {
      const WindowAt& window = scoring.windows[n];
      const double& scale = scales[static_cast<std::size_t>(window.series)];
      for (std::int64_t h = 0; h < scoring.info.horizon; ++h) {
        const double actual = pictured.happened(window, h, j);
        const std::int64_t at = static_cast<std::int64_t>(n) * pictured.model().values() + h * pictured.targets() + j;
        if (std::isfinite(actual))
          scores[window.series].add({&pictured.model().point[at], 1}, {&actual, 1}, {&scale, 1});
      }
    }
  }
  std::vector<std::pair<std::int64_t, double>> list;
  for (const auto& [series, score] : scores) {
    if (score.mase() > 0) list.emplace_back(series, score.mase());
  }
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return list;
}

}  // namespace carousel
