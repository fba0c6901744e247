#include "tasks/report/chart_style.h"

#include <cstdio>

#include "base/fail.h"

namespace carousel {
namespace {

// Line colours are those of Okabe and Ito, told apart by colour-blind readers too, darker on light and lighter on dark.
struct Colour {
  const char *name, *light, *dark;
};

constexpr Colour kColourTable[] = {
    {"ink", "#1c2733", "#e6ebf1"},       {"faint", "#5d6b7a", "#9aa7b5"}, {"paper", "#fff", "#12171d"},
    {"rule", "#d9dfe6", "#323c47"},      {"card", "#f5f7fa", "#1b222b"},  {"accent", "#d0470b", "#ff8a4c"},
    {"c2", "#0072b2", "#56b4e9"},        {"c3", "#00805a", "#2fc296"},    {"c4", "#a8508a", "#dd93c2"},
    {"c5", "#8a6d00", "#e0bd3c"},        {"good", "#00724f", "#3fcf9d"},  {"bad", "#b3261e", "#ff8a80"},
    {"shade", "0 114 178", "86 180 233"}};

constexpr const char* kChartRules = R"css(
svg text { font-family: system-ui, "Liberation Sans", "DejaVu Sans", sans-serif; font-size: 12px; fill: var(--ink); }
svg .label { fill: var(--faint); } svg .title { font-weight: 600; }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .grid { stroke: var(--rule); } svg .axis { stroke: var(--faint); } svg .shaded { fill: rgb(var(--shade) / 9%); }
svg .band { fill: var(--accent); fill-opacity: 0.17; } svg .bar { fill: var(--c2); fill-opacity: 0.7; }
svg .mark { stroke: var(--faint); stroke-dasharray: 2 3; }
[class^=line-] { fill: none; stroke-width: 1.5; stroke-linejoin: round; } .dashed { stroke-dasharray: 5 3; }
.line-0 { stroke: var(--ink); stroke-width: 1.2; } .line-1 { stroke: var(--accent); stroke-width: 2; }
.line-2 { stroke: var(--c2); } .line-3 { stroke: var(--c3); } .line-4 { stroke: var(--c4); }
.line-5 { stroke: var(--c5); }
[class^=area-] { fill-opacity: 0.75; stroke: var(--paper); stroke-width: 0.5; }
.area-1 { fill: var(--accent); } .area-2 { fill: var(--c2); } .area-3 { fill: var(--c3); } .area-4 { fill: var(--c4); }
.area-5 { fill: var(--c5); }
)css";

void put_in(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::string colour_style() {
  std::string light, dark;
  for (const Colour& colour : kColourTable) {
    light += fmt::format(" --{}: {};", colour.name, colour.light);
    dark += fmt::format(" --{}: {};", colour.name, colour.dark);
  }
  return fmt::format(
      "\n:root {{ color-scheme: light dark;{} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{} }} }}"
      "\n@media print {{ :root {{ color-scheme: light; }} }}",
      light, dark);
}

std::string chart_style() { return kChartRules; }

std::string svg_file(const std::string& svg) {
  constexpr std::string_view kStart = "<svg ";
  double width = 0, height = 0;
  [[maybe_unused]] const int sizes = std::sscanf(svg.c_str(), "<svg viewBox=\"0 0 %lf %lf\"", &width, &height);
  CAROUSEL_ASSERT(sizes == 2);
  const std::size_t begun = svg.find('>');
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:g}\" height=\"{:g}\" {}>\n<style>{}</style>\n<rect "
      "width=\"100%\" height=\"100%\" fill=\"var(--paper)\"/>{}",
      width, height, svg.substr(kStart.size(), begun - kStart.size()), kChartRules, svg.substr(begun + 1));
  for (const Colour& colour : kColourTable) put_in(text, fmt::format("var(--{})", colour.name), colour.light);
  return text;
}

}  // namespace carousel
