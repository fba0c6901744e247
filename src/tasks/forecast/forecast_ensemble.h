// forecast_ensemble.h: several forecasters of the same data that forecast together.
//
// The forecast of an ensemble is the mean of the points of its members and, level by level, of their quantiles
// (Vincentisation: Vincent 1912; Lichtendahl et al. 2013). Members may differ in seed, cell, window or distribution.
#pragma once

#include <list>
#include <span>

#include "tasks/forecast/forecasts.h"

namespace carousel {

// The models of --ensemble. Throws Error{kUsage} that names the file if a member is not made for the data, scaling and
// horizon of `first`, or needs more rows before an origin; and what reading a model throws.
class ForecastEnsemble {
 public:
  ForecastEnsemble(const ForecastInfo& first, const ModelOptions& options);
  std::vector<const Model*> members() const;

 private:
  std::list<Model> models_;  // a list: they do not move
};

// Points only if a member has no quantiles. REQUIRES: not empty; the same windows, values and levels.
Forecasts averaged(std::span<const Forecasts> members);

}  // namespace carousel
