#include "tasks/report/heatmap.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fail.h"
#include "tasks/report/chart.h"

namespace carousel {
namespace {

constexpr double kCell = 22, kGap = 6, kCharacter = 7.5;  // kCharacter: room for one in a name

double name_room(const std::vector<std::string>& names) {
  std::size_t longest = 1;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  return kCharacter * static_cast<double>(longest) + 2 * kGap;
}

std::string shown(const std::string& name) { return name == " " ? "\xE2\x90\xA3" : html_escaped(name); }  // open box

}  // namespace

std::string heatmap_svg(const Heatmap& map) {
  CAROUSEL_ASSERT(map.values.size() == map.rows.size() * map.columns.size());
  const double left = name_room(map.rows), top = name_room(map.columns);
  const double width = left + kCell * static_cast<double>(map.columns.size()) + kGap;
  const double height = top + kCell * static_cast<double>(map.rows.size()) + kGap;
  // The picture keeps its size where the page is wider.
  std::string svg =
      fmt::format("<svg viewBox=\"0 0 {0:g} {1:g}\" style=\"max-width:{0:g}px\" role=\"img\" aria-label=\"{2}\">\n",
                  width, height, html_escaped(map.description));
  for (std::size_t c = 0; c < map.columns.size(); ++c) {
    const double x = left + kCell * (static_cast<double>(c) + 0.5) + 4, y = top - kGap;
    svg += fmt::format("<text x=\"{0:g}\" y=\"{1:g}\" transform=\"rotate(-90 {0:g} {1:g})\">{2}</text>\n", x, y,
                       shown(map.columns[c]));
  }
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    const double y = top + kCell * static_cast<double>(r);
    svg += fmt::format("<text class=\"end\" x=\"{:g}\" y=\"{:g}\">{}</text>\n", left - kGap, y + kCell / 2 + 4,
                       shown(map.rows[r]));
    for (std::size_t c = 0; c < map.columns.size(); ++c) {
      const float value = map.values[r * map.columns.size() + c];
      svg += fmt::format(
          "<rect x=\"{:g}\" y=\"{:g}\" width=\"{}\" height=\"{}\" class=\"axis\" stroke-opacity=\"0.2\" "
          "style=\"fill:rgb(var(--shade) / {:.0f}%)\"><title>{:.3f}</title></rect>\n",
          left + kCell * static_cast<double>(c), y, kCell, kCell, 100 * static_cast<double>(value),
          static_cast<double>(value));
    }
  }
  return svg + "</svg>\n";
}

}  // namespace carousel
