// time_map.h: shades over time, panels one below another on one time axis, as one <svg> element for the pages that
// report.h writes: the features of a sound, and what a recogniser says of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

struct TimePanel {
  std::string name;
  std::int64_t rows = 0, columns = 0;  // row 0 is drawn at the top; the columns span the whole time
  std::vector<double> values;          // [rows, columns], 0 (the paper) to 1 (the full shade)
  std::vector<std::string> row_names;  // one for each row, or none
  double height = 100;                 // of the picture's 900 x ...
};

// `duration` is the end of the time axis, `description` is read by screen readers. All texts are escaped here.
// REQUIRES: rows, columns and duration above 0, as many values as rows times columns.
std::string time_map_svg(std::span<const TimePanel> panels, double duration, const std::string& x_label,
                         const std::string& description);

}  // namespace carousel
