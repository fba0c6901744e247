// regress_report.h: the page and the pictures of a regression (--report, --plots).
#pragma once

#include <cstdint>
#include <span>

#include "tasks/regress/regress_data.h"
#include "tasks/report/chart.h"
#include "tasks/report/report.h"
#include "tasks/training_run.h"

namespace carousel {

// One target of the scored samples: what it is and what the model says, as many of both.
struct RegressValues {
  std::string name;
  std::vector<double> actual, predicted;
};

// Predicted over actual values, one circle each (of more than 2000 every so many), with the line on which they agree.
LineChart agreement_chart(const RegressValues& values);

// Over the only feature `x` of each sample: the actual values as circles, the predicted ones as a line.
LineChart curve_chart(std::vector<double> x, const RegressValues& values, const std::string& feature);

// Pictures of the predictions for `samples`; for a table of one feature the curve, over all samples. None for outputs
// of 0 and 1.
void add_regress_figures(const Model& model, const RegressData& data, std::span<const std::int64_t> samples,
                         std::vector<Figure>& figures);

// options.output's page and pictures. `part` says what was scored; `curves` is null for a model trained before.
void write_regress_report(const Options& options, const Model& model, const RegressData& data,
                          std::span<const std::int64_t> samples, const EvaluateResult& result,
                          const CurveRecorder* curves);

}  // namespace carousel
