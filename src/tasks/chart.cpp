#include "tasks/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/fail.h"
#include "data/series/time_axis.h"

namespace carousel {
namespace {

constexpr double kWidth = 900, kHeight = 340, kLeft = 74, kRight = 14, kBottom = 46, kLegendLine = 20, kLegendTop = 18;
constexpr int kColours = 6;  // classes line-0 .. line-5 of the page

struct Tick {
  double at;
  std::string text;
};

struct AxisScale {
  double low = 0, high = 1, from = 0, to = 1;  // low .. high of the data becomes from .. to of the picture
  double operator()(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

// 1, 2 or 5 times a power of ten, at least `step`.
double nice_step(double step) {
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= step * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::vector<Tick> number_ticks(double low, double high, int about) {
  const double step = nice_step((high - low) / about);
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
  std::vector<Tick> ticks;
  for (double at = std::ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) {
    const double value = std::abs(at) < step * 1e-6 ? 0 : at;
    ticks.push_back({value, std::abs(value) >= 1e6 || step < 1e-6 ? fmt::format("{:g}", value)
                                                                  : fmt::format("{:.{}f}", value, decimals)});
  }
  return ticks;
}

// Of a logarithmic axis from 10^low to 10^high: powers of ten, or within less than one the ticks of a usual axis.
std::vector<Tick> log_ticks(double low, double high, int about) {
  std::vector<Tick> ticks;
  if (high - low < 1) {
    ticks = number_ticks(std::pow(10, low), std::pow(10, high), about);
    for (Tick& tick : ticks) tick.at = std::log10(tick.at);
    return ticks;
  }
  const double every = std::max(1.0, std::ceil((high - low) / about));
  for (double power = std::ceil(low / every) * every; power <= high; power += every) {
    ticks.push_back({power, fmt::format("{:g}", std::pow(10, power))});
  }
  return ticks;
}

// The chart with the logarithms (base 10) of what stands on logarithmic axes; none of 0 and below: a gap.
LineChart with_logarithms(const LineChart& chart) {
  LineChart drawn = chart;
  const auto take = [](std::vector<double>& values) {
    for (double& value : values) value = value > 0 ? std::log10(value) : std::numeric_limits<double>::quiet_NaN();
  };
  for (ChartLine& line : drawn.lines) {
    if (chart.log_x) take(line.x);
    if (chart.log_y) take(line.y);
  }
  return drawn;
}

// The leading part of a time that names its unit: 0 the year, 1 the month, 2 the day.
std::string time_prefix(const std::string& time, int unit) {
  std::size_t end = 0;
  for (int field = 0;; ++field) {
    end = std::min(time.find_first_of("-/ T", end + (field > 0 ? 1 : 0)), time.size());
    if (field == unit || end == time.size()) return time.substr(0, end);
  }
}

// Ticks where a year, a month or a day begins, whichever gives a handful; none if the times are not understood.
std::vector<Tick> time_ticks(const std::vector<std::string>& names, double low, double high, int about) {
  const auto first = static_cast<std::size_t>(std::max(0.0, std::ceil(low)));
  const auto last = std::min(names.size(), static_cast<std::size_t>(std::max(0.0, high)) + 1);
  std::vector<Tick> begins;
  for (int unit = 0; unit < 3; ++unit) {
    begins.clear();
    for (std::size_t i = first; i < last; ++i) {
      if (!parse_time(names[i])) return {};
      std::string prefix = time_prefix(names[i], unit);
      const auto whole = parse_time(prefix);
      const bool is_new =
          i > 0 ? time_prefix(names[i - 1], unit) != prefix : whole && whole->begin == parse_time(names[i])->begin;
      if (is_new) begins.push_back({static_cast<double>(i), prefix});
    }
    if (begins.size() >= 3) break;
    if (unit == 2) return {};
  }
  const auto every = static_cast<std::size_t>(nice_step(std::max(1.0, static_cast<double>(begins.size()) / about)));
  std::vector<Tick> ticks;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    // Round years (1760, 1780) rather than every so many from the first one.
    const bool is_year = begins[i].text.find_first_not_of("0123456789") == std::string::npos;
    const std::size_t count = is_year ? static_cast<std::size_t>(std::stoul(begins[i].text)) : i;
    if (count % every == 0) ticks.push_back(begins[i]);
  }
  return ticks;
}

std::vector<Tick> x_ticks(const LineChart& chart, double low, double high) {
  constexpr int kAbout = 8;
  if (chart.log_x) return log_ticks(low, high, kAbout);
  std::vector<Tick> ticks = time_ticks(chart.x_names, low, high, kAbout);
  if (!chart.x_names.empty() && ticks.size() >= 2) return ticks;
  // x counts rows or epochs: no ticks between two of them.
  ticks = number_ticks(low, high, std::clamp(static_cast<int>(high - low), 1, kAbout));
  std::vector<Tick> named;
  for (Tick& tick : ticks) {
    if (tick.at != std::floor(tick.at) && !chart.x_names.empty()) continue;
    const auto at = static_cast<std::size_t>(std::max(0.0, tick.at));
    if (!chart.x_names.empty() && at < chart.x_names.size()) tick.text = chart.x_names[at];
    named.push_back(std::move(tick));
  }
  return named;
}

// The bounds of all finite values; false if there are none.
bool bounds_of(const LineChart& chart, AxisScale& x, AxisScale& y) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  x.low = y.low = kNone;
  x.high = y.high = -kNone;
  for (const ChartLine& line : chart.lines) {
    for (std::size_t i = 0; i < std::min(line.x.size(), line.y.size()); ++i) {
      if (!std::isfinite(line.x[i]) || !std::isfinite(line.y[i])) continue;
      x.low = std::min(x.low, line.x[i]);
      x.high = std::max(x.high, line.x[i]);
      y.low = std::min(y.low, line.y[i]);
      y.high = std::max(y.high, line.y[i]);
    }
  }
  if (x.low > x.high) return false;
  if (x.low == x.high) x.low -= 0.5, x.high += 0.5;
  const double span = y.high - y.low > 1e-12 * std::abs(y.high) ? y.high - y.low : std::max(1.0, std::abs(y.high));
  const bool touches_zero =
      !chart.log_y && y.low >= 0 && y.low < 0.15 * span;  // most counts and losses: start the axis at 0
  y.low = touches_zero ? 0 : y.low - 0.05 * span;
  y.high += 0.05 * span;
  return true;
}

// Runs of finite points in picture coordinates, thinned to the least and greatest of each column of the picture.
std::vector<std::vector<std::pair<double, double>>> runs_of(const ChartLine& line, const AxisScale& x,
                                                            const AxisScale& y) {
  std::vector<std::vector<std::pair<double, double>>> runs(1);
  const bool thin = !line.points && static_cast<double>(line.x.size()) > 2 * kWidth;
  for (std::size_t i = 0; i < std::min(line.x.size(), line.y.size()); ++i) {
    if (!std::isfinite(line.x[i]) || !std::isfinite(line.y[i])) {
      if (!runs.back().empty()) runs.emplace_back();
      continue;
    }
    auto& run = runs.back();
    const std::pair<double, double> point{x(line.x[i]), y(line.y[i])};
    const auto in_column = [&](std::size_t back) {
      return run.size() >= back && std::floor(run[run.size() - back].first) == std::floor(point.first);
    };
    if (thin && in_column(1) && in_column(2)) {
      auto& least = run[run.size() - 2];
      auto& greatest = run.back();
      if (least.second > greatest.second) std::swap(least.second, greatest.second);
      least.second = std::min(least.second, point.second);
      greatest.second = std::max(greatest.second, point.second);
      continue;
    }
    run.push_back(point);
  }
  if (runs.back().empty()) runs.pop_back();
  return runs;
}

std::string lines_svg(const LineChart& chart, const AxisScale& x, const AxisScale& y) {
  std::string svg;
  for (std::size_t k = 0; k < chart.lines.size(); ++k) {
    for (const auto& run : runs_of(chart.lines[k], x, y)) {
      const auto style = fmt::format("line-{}{}", k % kColours, chart.lines[k].dashed ? " dashed" : "");
      if (run.size() == 1 || chart.lines[k].points) {
        for (const auto& [at_x, at_y] : run) {
          svg += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>\n", style, at_x, at_y,
                             chart.lines[k].points ? 4 : 2);
        }
        continue;
      }
      svg += fmt::format("<polyline class=\"{}\" points=\"", style);
      for (const auto& [at_x, at_y] : run) svg += fmt::format("{:.1f},{:.1f} ", at_x, at_y);
      svg.back() = '"';
      svg += "/>\n";
    }
  }
  return svg;
}

// The legend above the picture, as many rows as it needs; `bottom` becomes where it ends.
std::string legend_svg(const LineChart& chart, double& bottom) {
  constexpr double kLetter = 7, kSample = 24, kGap = 18;
  double at = kLeft;
  bottom = kLegendTop;
  std::string svg;
  for (std::size_t k = 0; k < chart.lines.size(); ++k) {
    const double width = kSample + 6 + kLetter * static_cast<double>(chart.lines[k].name.size());
    if (at + width > kWidth - kRight && at > kLeft) {
      at = kLeft;
      bottom += kLegendLine;
    }
    svg += fmt::format(
        "<line class=\"line-{}{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        k % kColours, chart.lines[k].dashed ? " dashed" : "", at, bottom - 4, at + kSample, bottom - 4,
        at + kSample + 6, bottom, html_escaped(chart.lines[k].name));
    at += width + kGap;
  }
  bottom += 14;
  return svg;
}

std::string axes_svg(const LineChart& chart, const AxisScale& x, const AxisScale& y) {
  std::string svg;
  for (const Tick& tick : chart.log_y ? log_ticks(y.low, y.high, 5) : number_ticks(y.low, y.high, 5)) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        x.from, y(tick.at), x.to, y(tick.at), x.from - 8, y(tick.at) + 4, html_escaped(tick.text));
  }
  for (const Tick& tick : x_ticks(chart, x.low, x.high)) {
    svg += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"middle\" x=\"{0:.1f}\" y=\"{3:.1f}\">{4}</text>\n",
        x(tick.at), y.from, y.from + 5, y.from + 18, html_escaped(tick.text));
  }
  svg += fmt::format("<line class=\"axis\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x.from, y.from,
                     x.to, y.from);
  svg += fmt::format("<text class=\"middle label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", (x.from + x.to) / 2,
                     kHeight - 6, html_escaped(chart.x_label));
  svg += fmt::format("<text class=\"middle label\" transform=\"translate(14 {:.1f}) rotate(-90)\">{}</text>\n",
                     (y.from + y.to) / 2, html_escaped(chart.y_label));
  return svg;
}

}  // namespace

std::string chart_svg(const LineChart& given) {
  const LineChart chart = with_logarithms(given);
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kWidth, kHeight,
                                html_escaped(chart.description));
  AxisScale x, y;
  if (!bounds_of(chart, x, y)) {
    return svg + fmt::format("<text class=\"middle\" x=\"{}\" y=\"{}\">nothing to draw</text>\n</svg>\n", kWidth / 2,
                             kHeight / 2);
  }
  double top = 0;
  const std::string legend = legend_svg(chart, top);
  x.from = kLeft, x.to = kWidth - kRight;
  y.from = kHeight - kBottom, y.to = top;
  if (chart.shaded_to > chart.shaded_from) {
    const double from = x(std::clamp(chart.shaded_from, x.low, x.high)),
                 to = x(std::clamp(chart.shaded_to, x.low, x.high));
    svg += fmt::format(
        "<rect class=\"shaded\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>"
        "<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        from, y.to, to - from, y.from - y.to, from + 6, y.to + 14, html_escaped(chart.shaded_name));
  }
  return svg + axes_svg(chart, x, y) + lines_svg(chart, x, y) + legend + "</svg>\n";
}

LineChart forecast_chart(const Series& series, std::int64_t column, Range shown, Range held_back,
                         std::span<const DrawnForecast> forecasts) {
  LineChart chart;
  const std::string& name = series.columns[static_cast<std::size_t>(column)];
  chart.y_label = name;
  chart.x_label = series.times.empty() ? "row" : "time";
  chart.description = fmt::format("{}: what happened and the forecasts for the held-back part", name);
  for (std::int64_t t = shown.begin; !series.times.empty() && t < shown.end; ++t) {
    chart.x_names.push_back(series.times.text(t));
  }
  ChartLine& actual = chart.lines.emplace_back();
  actual.name = name;
  for (std::int64_t t = shown.begin; t < shown.end; ++t) {
    // Without times x is the row itself; with times it counts from the first name.
    actual.x.push_back(static_cast<double>(chart.x_names.empty() ? t : t - shown.begin));
    actual.y.push_back(series.at(t, column));
  }
  const double start = actual.x.front() + static_cast<double>(held_back.begin - shown.begin);
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

std::string html_escaped(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    switch (character) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        const bool control = static_cast<unsigned char>(character) < 0x20 && character != '\n' && character != '\t';
        escaped += control ? ' ' : character;
    }
  }
  return escaped;
}

}  // namespace carousel
