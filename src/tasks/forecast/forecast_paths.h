// forecast_paths.h: forecasts of a network of one step that is fed with its own forecasts (--strategy recursive).
//
// A network with a distribution is fed with samples of it, step after step, path after path, as DeepAR is (Salinas et
// al. 2020, section 3.1); mean and quantiles are those of the paths. A network of points is fed with its points. The
// state of the recurrent branch is carried from step to step; the linear branch sees the last rows, forecasts included.
#pragma once

#include <span>

#include "tasks/forecast/forecasts.h"

namespace carousel {

// Paths in scaled units, [windows, paths, horizon x targets]. A number follows from the seed, the window's place in the
// list, the path, the step and the target alone. A network of points has one path, whatever `paths` says.
// REQUIRES: info.recursive. Throws Error{kUsage} if a column of the windows is no target.
BasicTensor<double> sample_paths(Sequential& network, const ForecastData& data, std::span<const WindowAt> windows,
                                 const ForecastInfo& info, std::int64_t paths, std::uint64_t seed);

// The mean of info.paths paths, and their quantiles at info.levels; of points, quantiles as read_outputs() has them.
Forecasts recursive_forecasts(Sequential& network, const ForecastData& data, std::span<const WindowAt> windows,
                              const ForecastInfo& info);

// Throws Error{kUsage} if the network or the columns do not allow it.
void check_recursive(Sequential& network, const ForecastInfo& info);

}  // namespace carousel
