#include "tasks/report/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/fail.h"
#include "tasks/report/chart_ticks.h"

namespace carousel {
namespace {

constexpr double kPageWidth = 900, kLeft = 74, kRight = 14, kBottom = 46, kLegendLine = 20, kLegendTop = 18;
constexpr double kLetter = 7;  // room for one, in 12 px
constexpr int kColours = 6;    // classes line-0 .. line-5 of the style sheet

struct AxisScale {
  double low = 0, high = 1, from = 0, to = 1;  // low .. high of the data becomes from .. to of the picture
  double operator()(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

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

std::vector<Tick> x_ticks(const LineChart& chart, double low, double high) {
  const int about = std::max(2, static_cast<int>(chart.width / 105));
  if (chart.log_x) return log_ticks(low, high, about);
  std::vector<Tick> ticks = time_ticks(chart.x_names, low, high, about);
  if (!ticks.empty()) return ticks;
  ticks = number_ticks(low, high, chart.measured_x ? about : std::clamp(static_cast<int>(high - low), 1, about));
  std::vector<Tick> named;
  for (Tick& tick : ticks) {
    if (!chart.measured_x && tick.at != std::floor(tick.at)) continue;
    const auto at = static_cast<std::size_t>(std::max(0.0, tick.at));
    if (at < chart.x_names.size()) tick.text = cut_text(chart.x_names[at], 12);
    named.push_back(std::move(tick));
  }
  return named;
}

struct Bounds {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

void take_points(const std::vector<double>& xs, const std::vector<double>& ys, Bounds& x, Bounds& y) {
  for (std::size_t i = 0; i < std::min(xs.size(), ys.size()); ++i) {
    if (!std::isfinite(xs[i]) || !std::isfinite(ys[i])) continue;
    x.take(xs[i]);
    y.take(ys[i]);
  }
}

// The bounds of all finite values; false if there are none.
bool bounds_of(const LineChart& chart, AxisScale& x, AxisScale& y) {
  Bounds across, up;
  for (const ChartLine& line : chart.lines) take_points(line.x, line.y, across, up);
  for (const ChartBand& band : chart.bands) {
    take_points(band.x, band.low, across, up);
    take_points(band.x, band.high, across, up);
  }
  for (const ChartBar& bar : chart.bars) {
    take_points({bar.from, bar.to}, {0, bar.height}, across, up);
  }
  if (across.low > across.high) return false;
  if (across.low == across.high) across.low -= 0.5, across.high += 0.5;
  x.low = across.low, x.high = across.high;
  const bool points = std::any_of(chart.lines.begin(), chart.lines.end(), [](const auto& line) { return line.points; });
  if (points && chart.measured_x) {  // room for whole circles
    x.low -= 0.02 * (across.high - across.low);
    x.high += 0.02 * (across.high - across.low);
  }
  const double span =
      up.high - up.low > 1e-12 * std::abs(up.high) ? up.high - up.low : std::max(1.0, std::abs(up.high));
  const bool touches_zero =
      !chart.log_y && up.low >= 0 && up.low < 0.15 * span;  // most counts and losses: start the axis at 0
  y.low = touches_zero ? 0 : up.low - 0.05 * span;
  y.high = up.high + 0.05 * span;
  return true;
}

using Points = std::vector<std::pair<double, double>>;

// Runs of finite points in picture coordinates, thinned to the least and greatest of each column of the picture.
std::vector<Points> runs_of(const std::vector<double>& xs, const std::vector<double>& ys, bool thin, const AxisScale& x,
                            const AxisScale& y) {
  std::vector<Points> runs(1);
  for (std::size_t i = 0; i < std::min(xs.size(), ys.size()); ++i) {
    if (!std::isfinite(xs[i]) || !std::isfinite(ys[i])) {
      if (!runs.back().empty()) runs.emplace_back();
      continue;
    }
    Points& run = runs.back();
    const std::pair<double, double> point{x(xs[i]), y(ys[i])};
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

std::string points_text(const Points& points) {
  std::string text;
  for (const auto& [at_x, at_y] : points) text += fmt::format("{:.1f},{:.1f} ", at_x, at_y);
  return text;
}

std::string line_class(const LineChart& chart, std::size_t k) {
  const ChartLine& line = chart.lines[k];
  const int colour = line.colour >= 0 ? line.colour : static_cast<int>(k % kColours);
  return fmt::format("line-{}{}", colour, line.dashed ? " dashed" : "");
}

std::string band_class(const ChartBand& band) {
  return band.colour >= 0 ? fmt::format("area-{}", band.colour) : "band";
}

std::string lines_svg(const LineChart& chart, const AxisScale& x, const AxisScale& y) {
  std::string svg;
  for (std::size_t k = 0; k < chart.lines.size(); ++k) {
    const ChartLine& line = chart.lines[k];
    const bool thin = !line.points && static_cast<double>(line.x.size()) > 2 * chart.width;
    for (const Points& run : runs_of(line.x, line.y, thin, x, y)) {
      const std::string style = line_class(chart, k);
      if (run.size() == 1 || line.points) {
        for (const auto& [at_x, at_y] : run) {
          svg += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>\n", style, at_x, at_y,
                             line.points ? (run.size() > 200 ? 2 : 4) : 2);
        }
        continue;
      }
      std::string points = points_text(run);
      points.back() = '"';
      svg += fmt::format("<polyline class=\"{}\" points=\"{}/>\n", style, points);
    }
  }
  return svg;
}

// Each run of a band goes along its upper line and back along the lower one.
std::string bands_svg(const LineChart& chart, const AxisScale& x, const AxisScale& y) {
  std::string svg;
  for (const ChartBand& band : chart.bands) {
    std::vector<double> low = band.low, high = band.high;
    for (std::size_t i = 0; i < std::min(low.size(), high.size()); ++i) {
      if (!std::isfinite(low[i] + high[i])) low[i] = high[i] = std::numeric_limits<double>::quiet_NaN();
    }
    const bool thin = static_cast<double>(band.x.size()) > 2 * chart.width;
    const std::vector<Points> upper = runs_of(band.x, high, thin, x, y);
    std::vector<Points> lower = runs_of(band.x, low, thin, x, y);
    for (std::size_t r = 0; r < upper.size(); ++r) {
      std::reverse(lower[r].begin(), lower[r].end());
      std::string points = points_text(upper[r]) + points_text(lower[r]);
      points.back() = '"';
      svg += fmt::format("<polygon class=\"{}\" points=\"{}/>\n", band_class(band), points);
    }
  }
  return svg;
}

std::string bars_svg(const LineChart& chart, const AxisScale& x, const AxisScale& y) {
  std::string svg;
  for (const ChartBar& bar : chart.bars) {
    if (!std::isfinite(bar.height)) continue;
    const double top = y(std::max(bar.height, 0.0)), bottom = y(std::min(bar.height, 0.0));
    svg += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
                       x(bar.from), top, std::max(x(bar.to) - x(bar.from), 0.5), bottom - top);
  }
  return svg;
}

// One entry of the legend at `at`; returns its width.
double legend_entry(const std::string& name, const std::string& sample, double at, double y, std::string& svg) {
  constexpr double kSample = 24, kGap = 18;
  const std::string text = cut_text(name, 60);
  svg += fmt::format("<g transform=\"translate({:.1f} {:.1f})\">{}<text x=\"{:.1f}\" y=\"0\">{}</text></g>\n", at, y,
                     sample, kSample + 6, html_escaped(text));
  return kSample + 6 + kLetter * static_cast<double>(text.size()) + kGap;
}

// The legend above the picture, as many rows as it needs, beginning at `top`, which becomes where it ends.
std::string legend_svg(const LineChart& chart, double width, double& top) {
  std::vector<std::pair<std::string, std::string>> entries;  // name, sample
  for (std::size_t k = 0; k < chart.lines.size(); ++k) {
    const std::string style = line_class(chart, k);
    entries.emplace_back(chart.lines[k].name,
                         chart.lines[k].points
                             ? fmt::format("<circle class=\"{}\" cx=\"16\" cy=\"-4\" r=\"4\"/>", style)
                             : fmt::format("<line class=\"{}\" x1=\"0\" y1=\"-4\" x2=\"24\" y2=\"-4\"/>", style));
  }
  // The inner bands lie on the outer ones, so their samples do, too.
  std::string under;
  for (const ChartBand& band : chart.bands) {
    const std::string sample =
        fmt::format("<rect class=\"{}\" x=\"0\" y=\"-10\" width=\"24\" height=\"12\"/>", band_class(band));
    if (band.colour < 0) under += sample;
    entries.emplace_back(band.name, band.colour < 0 ? under : sample);
  }
  std::erase_if(entries, [](const auto& entry) { return entry.first.empty(); });
  if (entries.empty()) return "";
  std::string svg;
  double at = kLeft;
  top += kLegendTop;
  for (const auto& [name, sample] : entries) {
    std::string entry;
    const double wide = legend_entry(name, sample, at, top, entry);
    if (at + wide > width && at > kLeft) {
      at = kLeft;
      top += kLegendLine;
      entry.clear();
      legend_entry(name, sample, at, top, entry);
    }
    svg += entry;
    at += wide;
  }
  top += 14;
  return svg;
}

std::string axes_svg(const LineChart& chart, const AxisScale& x, const AxisScale& y) {
  std::string svg;
  const int about = std::max(2, static_cast<int>((y.from - y.to) / 42));
  for (const Tick& tick : chart.log_y ? log_ticks(y.low, y.high, about) : number_ticks(y.low, y.high, about)) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        x.from, y(tick.at), x.to, y(tick.at), x.from - 8, y(tick.at) + 4, html_escaped(tick.text));
  }
  for (const Tick& tick : x_ticks(chart, x.low, x.high)) {
    const double half = kLetter / 2 * static_cast<double>(tick.text.size());  // the last text stays inside
    svg += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"middle\" x=\"{3:.1f}\" y=\"{4:.1f}\">{5}</text>\n",
        x(tick.at), y.from, y.from + 5, std::min(x(tick.at), chart.width - half), y.from + 18, html_escaped(tick.text));
  }
  const double base = y(std::clamp(0.0, y.low, y.high));  // bars stand on 0
  if (!chart.bars.empty() && base < y.from) {
    svg += fmt::format("<line class=\"axis\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x.from, base,
                       x.to, base);
  }
  svg += fmt::format("<line class=\"axis\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x.from, y.from,
                     x.to, y.from);
  const auto room = [](double length) { return static_cast<std::size_t>(std::max(4.0, length / kLetter)); };
  svg += fmt::format("<text class=\"middle label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", (x.from + x.to) / 2,
                     chart.height - 6, html_escaped(cut_text(chart.x_label, room(x.to - x.from))));
  svg += fmt::format("<text class=\"middle label\" transform=\"translate(14 {:.1f}) rotate(-90)\">{}</text>\n",
                     (y.from + y.to) / 2, html_escaped(cut_text(chart.y_label, room(y.from - y.to + 40))));
  return svg;
}

// What lies behind the lines: the shaded part and the marks.
std::string ground_svg(const LineChart& chart, const AxisScale& x, const AxisScale& y) {
  std::string svg;
  if (chart.shaded_to > chart.shaded_from) {
    const double from = x(std::clamp(chart.shaded_from, x.low, x.high)),
                 to = x(std::clamp(chart.shaded_to, x.low, x.high));
    const bool fits = from + 6 + kLetter * static_cast<double>(chart.shaded_name.size()) < x.to;  // else to the left
    svg += fmt::format(
        "<rect class=\"shaded\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>"
        "<text class=\"label{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        from, y.to, to - from, y.from - y.to, fits ? "" : " end", fits ? from + 6 : from - 6, y.to + 14,
        html_escaped(chart.shaded_name));
  }
  for (const double mark : chart.marks) {
    if (mark < x.low || mark > x.high) continue;
    svg += fmt::format("<line class=\"mark\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>\n", x(mark),
                       y.from, y.to);
  }
  return svg;
}

// All of the chart but the <svg> element around it.
std::string chart_body(const LineChart& given, bool legend) {
  const LineChart chart = with_logarithms(given);
  AxisScale x, y;
  if (!bounds_of(chart, x, y)) {
    return fmt::format("<text class=\"middle\" x=\"{}\" y=\"{}\">nothing to draw</text>\n", chart.width / 2,
                       chart.height / 2);
  }
  std::string svg;
  double top = 0;
  if (!chart.title.empty()) {
    const auto room = static_cast<std::size_t>((chart.width - kLeft) / kLetter);
    svg = fmt::format("<text class=\"title\" x=\"{}\" y=\"16\">{}</text>\n", kLeft,
                      html_escaped(cut_text(chart.title, room)));
    top = 22;
  }
  const std::string entries = legend ? legend_svg(chart, chart.width, top) : "";
  if (entries.empty()) top += chart.title.empty() ? 14 : 6;
  svg += entries;
  x.from = kLeft, x.to = chart.width - kRight;
  y.from = chart.height - kBottom, y.to = top;
  return svg + ground_svg(chart, x, y) + axes_svg(chart, x, y) + bands_svg(chart, x, y) + bars_svg(chart, x, y) +
         lines_svg(chart, x, y);
}

std::string svg_element(double width, double height, const std::string& description, const std::string& body) {
  return fmt::format("<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n", width, height,
                     html_escaped(description), body);
}

}  // namespace

std::string chart_svg(const LineChart& chart) {
  return svg_element(chart.width, chart.height, chart.description, chart_body(chart, true));
}

std::string panels_svg(std::vector<LineChart> panels, int columns) {
  if (panels.empty()) return svg_element(kPageWidth, 40, "", "");
  double top = 0, unused = 0;
  std::string body = legend_svg(panels.front(), kPageWidth, top);
  const bool alike = std::all_of(panels.begin(), panels.end(), [&](const LineChart& panel) {
    unused = 0;
    return legend_svg(panel, kPageWidth, unused) == body;
  });
  if (!alike) body.clear(), top = 0;
  for (std::size_t first = 0; first < panels.size(); first += static_cast<std::size_t>(columns)) {
    double height = 0;
    for (std::size_t k = first; k < std::min(panels.size(), first + static_cast<std::size_t>(columns)); ++k) {
      panels[k].width = kPageWidth / columns;
      height = std::max(height, panels[k].height);
      body += fmt::format("<g transform=\"translate({:.1f} {:.1f})\">\n{}</g>\n",
                          panels[k].width * static_cast<double>(k - first), top, chart_body(panels[k], !alike));
    }
    top += height + 8;
  }
  return svg_element(kPageWidth, top, panels.front().description, body);
}

std::string cut_text(const std::string& text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts_character && characters++ == most) return text.substr(0, i) + "\xE2\x80\xA6";
  }
  return text;
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
