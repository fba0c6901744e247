// forecast_leak_check.h: the proof that no forecast knows what comes after its origin.
#pragma once

#include <string>

#include "carousel/model.h"
#include "tasks/forecast/forecast_data.h"

namespace carousel {

// Reads the data again and again with the values after an origin changed (noise, huge values, a constant; what is
// positive stays so, columns that are known ahead stay as they are), before anything is filled in, scaled or cut into
// windows, and forecasts again:
//   - of `windows`, those up to the origin: model and baselines must give the same bits;
//   - what training fits on the training part (scaling, season, window, the baselines) must not change with the
//     validation and test part, and the linear start not with the test part.
// Returns a sentence that says what was checked. Throws Error{kBound} that names series, origin, kind of change and
// both values where a forecast or a fitted number moves.
std::string check_leaks(const Model& model, const DataOptions& options, const ForecastInfo& info,
                        const std::vector<WindowAt>& windows);

}  // namespace carousel
