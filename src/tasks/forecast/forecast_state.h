// forecast_state.h: what a forecaster keeps from one run to the next, so that new rows alone are enough to go on.
//
// Of every series: its last rows, as many as the forecast needs, its scaling, and for a stateful forecaster h and c
// after all of them but the last. The file is safetensors: tensors "K.rows" (F64, [rows, columns read]; NaN: missing)
// and "K.state.J" (F32) of series K; the metadata key "carousel_state" holds JSON with "format" (1), "model" (a
// checksum of the model and of the format of its weights, so that the state of another model is refused), "series" (id,
// static columns, times, their step, scaling) and "checksum", a CRC-32 of all of this but itself.
#pragma once

#include "carousel/model.h"
#include "tasks/forecast/forecast_data.h"

namespace carousel {

// Brings data.carried of a stateful forecaster up to the last row but one of every series, from where it is or, if it
// is empty, from the first row: what forecast_ahead() would otherwise read again for each forecast.
void carry_to_the_end(const Model& model, ForecastData& data, const ForecastInfo& info);

// Writes options.output.state: replaces the file at once or, on an error, leaves it as it was. REQUIRES: data.carried
// as carry_to_the_end() leaves it. Throws Error{kData} for a series that is shorter than the window, or than 2 rows.
void write_forecast_state(const Model& model, const Options& options, const ForecastData& data,
                          const ForecastInfo& info);

// The series as they were written to options.output.state, with `scalers`, and `carried` for every kind of forecaster:
// carried[k].rows is one less than the rows kept of series k. The rest is left empty. Throws Error{kModel} that names
// file and place if it is damaged, hostile, no state, or the state of another model.
ForecastData read_forecast_state(const Model& model, const Options& options, const ForecastInfo& info);

}  // namespace carousel
