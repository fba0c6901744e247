// chart_style.h: the colours of pages and charts, and what the classes in a chart's markup look like.
#pragma once

#include <string>

namespace carousel {

// CSS for a page: the colours as variables, light, dark where the reader's screen is, light again on paper; and the
// rules of charts.
std::string colour_style();
std::string chart_style();

// A chart (chart_svg, panels_svg ...) as a file of its own, which opens in a browser, an editor or a converter: its
// rules inside it, with the light colours on white.
std::string svg_file(const std::string& svg);

}  // namespace carousel
