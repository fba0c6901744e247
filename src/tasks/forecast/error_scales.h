// error_scales.h: what errors of a series are measured in.
#pragma once

#include "tasks/forecast/forecast_data.h"

namespace carousel {

// Of all series that have a training part, for those that are held back as a whole.
ErrorScales scales_of_training(const ForecastData& data, const ForecastInfo& info);

// The scale of MASE of each target of one of the series: that of its training part or, of a series held back as a
// whole, that of all training series, which the model file keeps. 0 where it is not known or nothing changes.
std::vector<double> mase_scales(const ForecastData& data, const ForecastInfo& info, std::size_t series);

// The scales of one of the series, likewise; mean and deviation are 0 and 1 unless errors are `scaled`. Throws
// Error{kUsage} if they are not known.
ErrorScales error_scales(const ForecastData& data, const ForecastInfo& info, std::size_t series, bool scaled);

}  // namespace carousel
