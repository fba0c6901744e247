// chart.h: a chart of lines, bands and bars as one <svg> element, for the pages that report.h writes and for files.
//
// x counts from 0; x_names, if given, are the texts of x = 0, 1, 2 ... (times of a series). A value that is not finite
// is a gap in its line, and so is one that is not above 0 where the axis is logarithmic. Colours come from the classes
// of chart_style.h, so that light and dark both work; line 0 is drawn in the colour of the text (what happened), line 1
// in the accent colour (the model), as are bands, the others follow. All texts are escaped here, and cut where they do
// not fit.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

struct ChartLine {
  std::string name;          // in the legend; empty: not there
  std::vector<double> x, y;  // as many of both, x rising
  bool dashed = false;
  bool points = false;  // circles that no line joins; x in any order
  int colour = -1;      // 1 .. 5, those of lines 1 .. 5; -1: by its place
};

// What lies between two lines, `low` and `high` over x. Bands of one chart may lie one inside the other; those with a
// colour of their own stand one upon the other.
struct ChartBand {
  std::string name;
  std::vector<double> x, low, high;
  int colour = -1;  // as of a line; -1: see-through, in the accent colour
};

// A bar from 0 to `height` over from .. to.
struct ChartBar {
  double from = 0, to = 0, height = 0;
};

struct LineChart {
  std::string x_label, y_label, description;  // description: read by screen readers
  std::vector<ChartLine> lines = {};
  std::vector<std::string> x_names = {};
  bool log_x = false, log_y = false;      // log_x: without x_names; both without bands and bars
  double shaded_from = 0, shaded_to = 0;  // nothing is shaded if they are equal
  std::string shaded_name = {};           // e.g. "held back"
  std::vector<ChartBand> bands = {};
  std::vector<ChartBar> bars = {};
  std::vector<double> marks = {};  // upright lines at these x: origins
  std::string title = {};          // above the chart, for panels
  bool measured_x = false;         // x is a measure and may have ticks between whole numbers, not a count of rows
  double width = 900, height = 340;
};

// Lines and bands of more points than the picture has columns are drawn by the least and the greatest value of each
// column.
std::string chart_svg(const LineChart& chart);

// Charts side by side, `columns` in a row, as one <svg> element 900 wide; each keeps its height. Above them one legend,
// if it is the same for all, else each has its own. REQUIRES: columns > 0.
std::string panels_svg(std::vector<LineChart> panels, int columns);

// & < > " ' as entities; control characters other than line end and tab as spaces.
std::string html_escaped(std::string_view text);

// The text, or where it has more than `most` characters (UTF-8) its beginning and an ellipsis.
std::string cut_text(const std::string& text, std::size_t most);

}  // namespace carousel
