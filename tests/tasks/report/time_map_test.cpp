#include "tasks/report/time_map.h"

#include <gtest/gtest.h>

namespace carousel {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Oracle: rectangles worked out from the scale: 796 of 900 wide from 90 on, the first panel from 26 on.
TEST(TimeMap, DrawsNeighboursOfOneShadeAsOneRectangle) {
  const TimePanel panel{.name = "a <b>",
                        .rows = 2,
                        .columns = 4,
                        .values = {1, 1, 0, 0.5, 0, 0, 0, 1},
                        .row_names = {"<x>", "y"},
                        .height = 40};
  const std::string svg = time_map_svg({&panel, 1}, 2, "seconds & more", "d");
  EXPECT_TRUE(has(svg,
                  "<path style=\"fill:rgb(var(--shade) / 100%)\" "
                  "d=\"M90.0 26.0h398.0v20.0h-398.0zM687.0 46.0h199.0v20.0h-199.0z\"/>"))
      << svg;
  EXPECT_TRUE(has(svg, "<path style=\"fill:rgb(var(--shade) / 50%)\" d=\"M687.0 26.0h199.0v20.0h-199.0z\"/>"));
  EXPECT_TRUE(has(svg, "a &lt;b&gt;"));
  EXPECT_TRUE(has(svg, "&lt;x&gt;"));
  EXPECT_TRUE(has(svg, "seconds &amp; more"));
  EXPECT_FALSE(has(svg, "<b>"));
  EXPECT_FALSE(has(svg, "<x>"));
  EXPECT_TRUE(has(svg, "x=\"488.0\" y=\"83\">1</text>")) << svg;  // the tick of 1 s, in the middle
}

}  // namespace
}  // namespace carousel
