// forecast_update.h: new rows put behind those that a state keeps.
#pragma once

#include "carousel/model.h"
#include "tasks/forecast/forecast_data.h"

namespace carousel {

// The state of options.output.state followed by the rows of options.data.data: every series of the state, some of them
// longer now; each keeps the scaling of the state. Times that are missing between old and new rows, and among the new
// ones, are treated as --gaps says (reading them with the others would do the same). Throws Error{kData} for a series
// that the state does not have, and for rows that are not later than the last one there: it names both times.
ForecastData read_updated_series(const Model& model, const Options& options, const ForecastInfo& info);

}  // namespace carousel
