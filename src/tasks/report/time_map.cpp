#include "tasks/report/time_map.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"
#include "tasks/report/chart.h"

namespace carousel {
namespace {

constexpr double kMapWidth = 900, kMapLeft = 90, kMapRight = 14, kPanelTop = 26, kAxisHeight = 46;
constexpr int kShades = 12;

// The cells of each shade as one path: neighbours in a row are one rectangle, so that a second of sound stays small.
std::string panel_cells(const TimePanel& panel, double top) {
  std::array<std::string, kShades + 1> paths;
  const double width = (kMapWidth - kMapLeft - kMapRight) / static_cast<double>(panel.columns);
  const double height = panel.height / static_cast<double>(panel.rows);
  const auto shade = [&](std::int64_t row, std::int64_t column) {
    const double value = panel.values[static_cast<std::size_t>(row * panel.columns + column)];
    return static_cast<std::size_t>(std::lround(std::clamp(value, 0.0, 1.0) * kShades));
  };
  for (std::int64_t row = 0; row < panel.rows; ++row) {
    for (std::int64_t begin = 0, end = 0; begin < panel.columns; begin = end) {
      while (end < panel.columns && shade(row, end) == shade(row, begin)) ++end;
      paths[shade(row, begin)] +=
          fmt::format("M{:.1f} {:.1f}h{:.1f}v{:.1f}h{:.1f}z", kMapLeft + width * static_cast<double>(begin),
                      top + height * static_cast<double>(row), width * static_cast<double>(end - begin), height,
                      -width * static_cast<double>(end - begin));
    }
  }
  std::string svg;
  for (std::size_t k = 1; k < paths.size(); ++k) {
    if (paths[k].empty()) continue;
    svg += fmt::format("<path style=\"fill:rgb(var(--shade) / {:.0f}%)\" d=\"{}\"/>\n",
                       100 * static_cast<double>(k) / kShades, paths[k]);
  }
  return svg;
}

std::string time_axis(double duration, double top, double bottom, const std::string& label) {
  constexpr int kAbout = 8;
  const double rough = duration / kAbout, power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough <= power ? 1 : rough <= 2 * power ? 2 : rough <= 5 * power ? 5 : 10);
  std::string svg;
  for (int k = 0; k * step <= duration * (1 + 1e-9); ++k) {
    const double x = kMapLeft + (kMapWidth - kMapLeft - kMapRight) * k * step / duration;
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:g}\" y2=\"{2:g}\"/>\n"
        "<text class=\"middle label\" x=\"{0:.1f}\" y=\"{3:g}\">{4:g}</text>\n",
        x, top, bottom, bottom + 17, k * step);
  }
  return svg + fmt::format("<text class=\"middle label\" x=\"{:g}\" y=\"{:g}\">{}</text>\n",
                           (kMapLeft + kMapWidth - kMapRight) / 2, bottom + 36, html_escaped(label));
}

}  // namespace

std::string time_map_svg(std::span<const TimePanel> panels, double duration, const std::string& x_label,
                         const std::string& description) {
  double bottom = 0;
  for (const TimePanel& panel : panels) bottom += kPanelTop + panel.height;
  std::string svg = fmt::format("<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"{}\">\n", kMapWidth,
                                bottom + kAxisHeight, html_escaped(description));
  svg += time_axis(duration, kPanelTop, bottom, x_label);
  double top = 0;
  for (const TimePanel& panel : panels) {
    top += kPanelTop;
    svg += fmt::format("<text class=\"label\" x=\"{:g}\" y=\"{:g}\">{}</text>\n", kMapLeft, top - 8,
                       html_escaped(panel.name));
    const double height = panel.height / static_cast<double>(panel.rows);
    for (std::size_t row = 0; row < panel.row_names.size(); ++row) {
      svg += fmt::format("<text class=\"end\" x=\"{:g}\" y=\"{:.1f}\">{}</text>\n", kMapLeft - 8,
                         top + height * (static_cast<double>(row) + 0.5) + 4, html_escaped(panel.row_names[row]));
    }
    svg += panel_cells(panel, top);
    top += panel.height;
  }
  return svg + "</svg>\n";
}

}  // namespace carousel
