// chart.h: a line chart as one <svg> element, for the pages that report.h writes.
//
// x counts from 0; x_names, if given, are the texts of x = 0, 1, 2 ... (times of a series). A value that is not finite
// is a gap in its line, and so is one that is not above 0 where the axis is logarithmic. Colours come from the classes
// of the page's style sheet (report.cpp), so that light and dark both work; line 0 is drawn in the colour of the text
// (what happened), line 1 in the accent colour (the model), the others follow. All texts are escaped here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/series/series_split.h"

namespace carousel {

struct ChartLine {
  std::string name;
  std::vector<double> x, y;  // as many of both, x rising
  bool dashed = false;
  bool points = false;  // circles that no line joins; x in any order
};

struct LineChart {
  std::string x_label, y_label, description;  // description: read by screen readers
  std::vector<ChartLine> lines;
  std::vector<std::string> x_names;
  bool log_x = false, log_y = false;      // log_x: without x_names
  double shaded_from = 0, shaded_to = 0;  // nothing is shaded if they are equal
  std::string shaded_name;                // e.g. "held back"
};

// Lines of more points than the picture has columns are drawn by the least and the greatest value of each column.
std::string chart_svg(const LineChart& chart);

// The forecast of one method for the rows of the held-back part, from its first row on; NaN where there is none.
struct DrawnForecast {
  std::string name;
  std::vector<double> values;
};

// The column over the rows `shown`, the forecasts over it, the held-back part shaded.
// REQUIRES: shown lies inside the series, held_back begins inside shown.
LineChart forecast_chart(const Series& series, std::int64_t column, Range shown, Range held_back,
                         std::span<const DrawnForecast> forecasts);

// & < > " ' as entities; control characters other than line end and tab as spaces.
std::string html_escaped(std::string_view text);

}  // namespace carousel
