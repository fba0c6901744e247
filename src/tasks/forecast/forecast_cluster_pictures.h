// forecast_cluster_pictures.h: the fuzzy clusters of a forecaster (forecast_clusters.h), as figures of a page.
#pragma once

#include <vector>

#include "tasks/forecast/forecast_pictures.h"

namespace carousel {

// How much each window belongs to each cluster, [windows, clusters]; an empty tensor if the network has no clusters.
Tensor window_memberships(Sequential& network, std::span<const Series> scaled, std::span<const WindowAt> windows,
                          const ForecastInfo& info);

// The share of each cluster in the windows: the sum of its memberships over their number.
std::vector<double> cluster_shares(const Tensor& memberships);

// The memberships of the windows that end with rows first, first + 1 ..., one upon the other from 0 to 1; the clusters
// have the colours of their centres.
LineChart membership_chart(const Tensor& memberships, const Series& series, std::int64_t first);

// Two figures, none if the network has no clusters: the centres, a line for each cluster over the steps of a window, in
// scaled units, with the share of each in the training windows (those of the scoring, if there are none); and the
// memberships along one series, below its first target.
void add_cluster_figures(Sequential& network, const ForecastScoring& scoring, std::int64_t series, Range held_back,
                         std::vector<Figure>& figures);

}  // namespace carousel
