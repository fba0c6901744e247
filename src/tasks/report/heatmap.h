// heatmap.h: a matrix as one <svg> element, for the pages that report.h writes.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace carousel {

// A square for each value, darker the larger, with the names of its row at the left and of its column above; the value
// itself is shown on pointing at it. values [rows, columns] in 0 .. 1. All texts are escaped here. REQUIRES: as many
// values as rows times columns.
struct Heatmap {
  std::vector<std::string> rows, columns;
  std::span<const float> values;
  std::string description;  // read by screen readers
};
std::string heatmap_svg(const Heatmap& map);

}  // namespace carousel
