// forecast_info.h: what the model file of a forecaster keeps beside the network.
#pragma once

#include <string>
#include <vector>

#include "carousel/model.h"
#include "data/series/scaler.h"
#include "data/series/windows.h"
#include "tasks/forecast/forecast_columns.h"
#include "tasks/options.h"

namespace carousel {

// Quantiles of what came minus what a network of points said, in scaled units, by step and target, at the levels of
// the forecaster. Neighbouring steps share them where there are few windows.
struct ResidualQuantiles {
  std::int64_t steps = 1;      // that share one set
  std::vector<double> values;  // [sets, targets, levels]; empty: not known
};

// What errors are measured in, of each target: mean and deviation, sqrt(sum (x - mean)^2 / n), and the scale of MASE, 0
// if it is not known.
struct ErrorScales {
  std::vector<double> mean, deviation, mase;
};

// Kept in Model::task_data().
struct ForecastInfo {
  std::vector<std::string> columns, targets;  // of the network (forecast_columns.h); targets are the first of them
  std::int64_t horizon = 1, window = 1, season = 1;
  bool several = false;       // trained on several series
  bool by_series = false;     // whole series were held back (--valid FILE), so all series have one scaling
  bool stateful = false;      // the recurrent branch reads a series from its beginning (forecast_stateful.h)
  SeriesOptions reading;      // how the data were read; its targets are `targets`
  std::string split;          // --split of training; empty: valid_fraction at the end
  double valid_fraction = 0;  // used if split is empty
  std::string scaling = "standard", transform = "none";
  Scaler scaler;                        // of the columns read, unless each series has its own
  ErrorScales held_back;                // by_series: those of all training series; empty: the file has none
  DerivedColumns derived;               // behind the columns read
  std::string distribution = "point";   // what the numbers of the network mean (forecast_head.h)
  bool recursive = false;               // the network gives one step; further ones are fed with those before
  std::int64_t paths = 200;             // that forecasts of a recursive distribution are made from; not stored
  std::vector<double> levels;           // that are learnt, scored at and written by default
  ResidualQuantiles residuals;          // of a network of points
  std::vector<double> error_deviation;  // of the targets, one step ahead (forecast_anomalies.h); empty: not known
  TrainOptions training;                // no "auto" left
  std::int64_t kept_epochs = 0;         // of them those behind the weights kept, 0: the linear start
  double kept_share = 1;                // of what those weights add to the linear start (forecast_shrinkage.h)
  std::vector<const Model*> members;    // further models of an ensemble (forecast_ensemble.h); borrowed, not stored

  std::string to_json() const;
  // Throws Error{kModel} if the model is not a forecaster or its description does not fit.
  static ForecastInfo from_model(const Model& model);
  // For read_task_data(): throws what nlohmann::json throws, and Error{kModel} for a description that does not fit.
  static ForecastInfo from_json(const nlohmann::json& object);
  std::vector<std::int64_t> target_positions() const;  // among the columns
  // Whether each series is scaled by itself: by its own training part or, in `predict`, by all of it.
  bool own_scaling() const { return several && !by_series; }
  // Columns without that of the numbers of the series.
  std::int64_t value_columns() const { return std::ssize(columns) - (derived.series.empty() ? 0 : 1); }
  // Whether its forecasts of a step are all that is needed to go on from them.
  bool feeds_itself() const { return value_columns() == std::ssize(targets); }
  ScalerOptions scaler_options() const;
  // Whether the network can scale by itself: one scaling for all, of values and not of a transform.
  bool scales_inside() const { return !own_scaling() && transform == "none"; }
  WindowShape shape(std::int64_t stride = 1) const { return {window, horizon, stride}; }
  // Whether its forecasts are made from sampled paths.
  bool samples_paths() const { return recursive && distribution != "point"; }
  // Whether the model has quantiles at all levels, not only at its own.
  bool any_level() const { return distribution != "point" && distribution != "quantile"; }
  // The same with the horizon of the network itself: 1 if it is fed with its own forecasts.
  ForecastInfo of_network() const;
};

}  // namespace carousel
