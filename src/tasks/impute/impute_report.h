// impute_report.h: the pages of an imputation, of training and of evaluation: scores, and hidden values with what was
// filled in.
#pragma once

#include <span>

#include "tasks/impute/impute_training.h"
#include "tasks/training_run.h"

namespace carousel {

// `draws` are those of the scores; the first of them is drawn, if there is one.
void write_impute_report(const TrainResult& result, const CurveRecorder& curves, Sequential& network,
                         const ForecastData& data, const ImputeInfo& info, std::span<const HiddenValues> draws);

// The same of a trained model, without curves; `result` is that of score_imputation() for these draws, at least one.
void write_imputation_report(const Options& options, const EvaluateResult& result, const Model& model,
                             const ForecastData& data, const ImputeInfo& info, std::span<const HiddenValues> draws);

}  // namespace carousel
