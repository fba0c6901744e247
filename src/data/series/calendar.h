// calendar.h: what a date says to a network: sine and cosine of the place in a cycle.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/series/series_split.h"

namespace carousel {

// "hour" (of the day), "weekday", "monthday", "yearday", "month" (of the year): the cycles there are.
const std::vector<std::string>& calendar_features();

// sin and cos of 2 pi p, p in [0, 1) the part of the cycle that has passed at a time (TimeSpan::begin).
// REQUIRES: `feature` is one of calendar_features().
struct CyclePoint {
  double sine = 0, cosine = 1;
};
CyclePoint calendar_point(std::string_view feature, std::int64_t begin);

// The features of cycles that have more than one step and that the training part covers at least twice, the shortest
// first: hours hour, weekday and yearday; months month. None without dates.
std::vector<std::string> fitting_calendar_features(const TimeAxis& times, const TrainingRange& training);

}  // namespace carousel
