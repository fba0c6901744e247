// forecast_refit.h: a forecaster that is trained again along a backtest (evaluate --refit --refit-model N).
//
// Before every N-th origin of the series a network of the same layers gets new weights: the linear map is fitted again
// and the recurrent branch is trained from fresh random weights, with the options of the first training and for the
// epochs that its best weights had behind them; of what it adds the same share is kept. There is no validation part
// then. What is learnt from ends before the origin: the series are cut there. Scaling, centres of clusters and, of
// points, the quantiles of the errors stay.
#pragma once

#include "tasks/forecast/forecasts.h"
#include "tasks/memory_plan.h"
#include "tasks/training_run.h"
#include "train/observer.h"

namespace carousel {

struct RefitOptions {
  bool sliding = false;      // on as many rows as the training part has, else on all from its beginning
  std::int64_t origins = 1;  // of each series that a network forecasts from
};

// Throws Error{kUsage} for a --refit or --refit-model of `evaluate` that does not go with the other options or the
// model.
void check_refit(const Options& options, const ForecastInfo& info);

// What training takes where its options say "auto".
TrainDefaults forecast_defaults();

// The same of a stateful forecaster, whose epoch is one pass over `origins` rows in pieces of `bptt` steps.
TrainDefaults stateful_defaults(std::int64_t origins, std::int64_t bptt);

// The training problem of a forecaster; borrows everything. `info` is that of the network (ForecastInfo::of_network).
std::unique_ptr<TaskProblem> make_forecast_problem(Sequential& network, const ForecastData& data,
                                                   const ForecastInfo& info, const TrainOptions& options);

// As model_forecasts(), each window by the network that was trained before it. The observer is told how many times what
// is trained. Throws Error{kUsage} if the model file does not say how it was trained or whole series were held back.
Forecasts refitted_model_forecasts(const Model& model, const ForecastData& data, std::span<const WindowAt> windows,
                                   const ForecastInfo& info, const RefitOptions& options, Observer& observer);

}  // namespace carousel
