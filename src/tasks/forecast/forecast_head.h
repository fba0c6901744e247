// forecast_head.h: what the numbers that a forecaster puts out mean: a point, quantiles, or a distribution.
//
// The last layer gives width() numbers for each value (a target at a step). They lie block by block, [width, values]:
// the first block is the location (mean or median, in scaled units), to which the linear branch is added; the others
// say how the value spreads around it. The losses are those of autograd/ops, with formulas and sources.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carousel/autograd.h"
#include "carousel/tensor.h"
#include "tasks/forecast/forecast_model.h"

namespace carousel {

// A value of the data is shift + slope times its scaled value.
struct ValueUnits {
  double shift = 0, slope = 1;
};

// The targets of a batch: [N, values], NaN where not known.
struct HeadTargets {
  Tensor values;        // in scaled units, or for counts() in those of the data
  Tensor shift, slope;  // the units of each; for counts() only
};

// A forecast of the linear start and what came, in scaled units.
struct HeadStart {
  double forecast = 0, actual = 0;
  ValueUnits units;
};

class ForecastHead {
 public:
  virtual ~ForecastHead() = default;
  virtual std::int64_t width() const = 0;
  virtual std::string_view metric() const { return "nll"; }  // what loss() is called
  virtual bool counts() const { return false; }
  // The mean over the known targets. x [N, width * values].
  virtual Variable loss(Variable x, const HeadTargets& targets) const = 0;
  // Of one value, from its width() numbers: in scaled units. 0 < level < 1.
  virtual double point(std::span<const double> x, const ValueUnits& units) const = 0;
  virtual double quantile(std::span<const double> x, const ValueUnits& units, double level) const = 0;
  // The numbers behind the location that make the linear start calibrated: [width - 1]. REQUIRES: `pairs` not empty.
  virtual std::vector<double> start(std::span<const HeadStart> pairs) const = 0;
};

// Null for points, whose loss is that of TrainOptions::loss. Throws Error{kModel} for a distribution that is not known.
std::unique_ptr<ForecastHead> make_forecast_head(const ForecastInfo& info);

// Numbers that the network puts out for a window: width x horizon x targets.
std::int64_t network_outputs(const ForecastInfo& info);

}  // namespace carousel
