// chart_ticks.h: where the axes of a chart have marks, and what they say.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace carousel {

struct Tick {
  double at = 0;
  std::string text;
};

// Steps of 1, 2 or 5 times a power of ten, `about` of them or up to half as many more; from a million on
// in millions, "1.5 M". REQUIRES: low < high.
std::vector<Tick> number_ticks(double low, double high, int about);

// Of a logarithmic axis from 10^low to 10^high: powers of ten, where there is room 2 and 5 times them, too, or within
// less than one the ticks of a usual axis.
std::vector<Tick> log_ticks(double low, double high, int about);

// Row i has the time names[i]: ticks on the rows low .. high that begin a year, month, week, day, hour ... (or every
// second, fifth ...), the finest division that gives no more than `about`. Empty if a time is not understood or fewer
// than two rows begin one.
std::vector<Tick> time_ticks(std::span<const std::string> names, double low, double high, int about);

}  // namespace carousel
