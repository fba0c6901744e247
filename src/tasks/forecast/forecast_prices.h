// forecast_prices.h: forecasts of prices, judged by what they are worth: returns and directions.
//
// The return of step h is price over last known price - 1. The direction is that of the first step, up or down; moves
// of 0 do not count, and a forecast of no move is never right. All levels of prices look alike from day to day, so that
// a small error in prices says nothing: the random walk (last_value) has it, too.
#pragma once

#include <string>
#include <vector>

#include "tasks/forecast/forecasts.h"
#include "tasks/task.h"

namespace carousel {

// Collected from some windows at a time.
struct PriceErrors {
  double squares = 0, sizes = 0,
         known = 0;                       // of the errors of returns: the sums of e^2 and |e|, and how many there are
  std::vector<double> losses;             // [windows] the mean squared error of returns
  std::vector<std::int64_t> hits, moves;  // [targets] directions foretold, and moves in all
  bool has_directions = false;            // some forecast says up or down

  // forecasts in the units of the data and actual values: [windows, horizon x targets]. Throws Error{kData} where a
  // price, the last known or an actual one, is not above 0.
  void add(const Forecasts& forecasts, const BasicTensor<double>& actual, const ForecastData& data,
           std::span<const WindowAt> windows, const ForecastInfo& info);
};

// Sentences on an evaluation whose first metric is return_rmse: the directions of each target with their 95 % interval,
// and whether the model beats the random walk.
std::vector<std::string> price_notes(const EvaluateResult& result, const PriceErrors& model, const ForecastInfo& info);

}  // namespace carousel
