// impute_score.h: how near what is filled in comes to values that were hidden, beside simpler ways to fill.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tasks/impute/impute_training.h"
#include "tasks/task.h"

namespace carousel {

// A series whose missing values are filled by a baseline.
//   last_value     the last known one; before the first that one
//   interpolation  interpolate()
//   mean           of the known ones of the column
//   seasonal       the mean of the nearest known ones whole seasons before and behind; where there is none, as
//                  interpolation
struct FilledSeries {
  std::string name;
  Series series;
};
std::vector<FilledSeries> fill_by_baselines(const Series& series, std::int64_t season);

// For ImputeInfo::errors, from the errors of the model on these values. A distance with fewer than 50 errors of a
// target shares those of all distances.
std::vector<double> fit_errors(Sequential& network, const ForecastData& data, const ImputeInfo& info,
                               std::span<const HiddenValues> draws);

// The model and the baselines on the same values. Each baseline has the test of its difference from the model
// (diebold_mariano): over the rows of a series, with as many lags as the longest gap has rows, or over the series,
// where there are several, each with its mean loss. REQUIRES: `draws` not empty, of the series of `data`.
EvaluateResult score_imputation(Sequential& network, const ForecastData& data, const ImputeInfo& info,
                                std::span<const HiddenValues> draws);

}  // namespace carousel
