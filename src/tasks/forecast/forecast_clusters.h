// forecast_clusters.h: fuzzy clusters of the windows that a forecaster learns from.
//
// With --clusters K the recurrent branch of a forecaster is a Mixture (layers/mixture.h): one network for each fuzzy
// cluster of the windows, their forecasts weighted by how much a window belongs to each.
#pragma once

#include "layers/fuzzy/fuzzy_cmeans.h"
#include "tasks/forecast/forecast_data.h"
#include "tasks/forecast/forecast_model.h"
#include "train/observer.h"

namespace carousel {

// Clusters of the windows of the training parts (of many windows, 4096 of them at even distances), in scaled units: a
// point is a window, [window x columns]. `fuzzifier` 0: fuzzifier_for(). The observer is told the fuzzifier and how
// clear the clusters are. Throws Error{kUsage} if there are fewer windows than clusters.
WindowClusters cluster_windows(const ForecastData& data, const ForecastInfo& info, const ModelOptions& options,
                               std::uint64_t seed, Observer& observer);

}  // namespace carousel
