// series_fill.h: missing values of series, filled.
#pragma once

#include "data/series/series.h"

namespace carousel {

// Every missing value replaced by the last known one of its column, and by `before` where there is none: what somebody
// who looks back sees, no value from later.
Series carry_forward(Series series, double before = 0);

// Every missing value on the straight line between the known ones of its column around it; before the first and behind
// the last known one as that one, and `without` in a column that has none.
Series interpolate(Series series, double without = 0);

}  // namespace carousel
