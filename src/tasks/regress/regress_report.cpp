#include "tasks/regress/regress_report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.h"
#include "tasks/forecast/forecast_diagnostics.h"
#include "tasks/regress/regress_model.h"
#include "tasks/report/report_files.h"
#include "tasks/report/run_report.h"
#include "tasks/samples.h"

namespace carousel {
namespace {

constexpr std::size_t kMostCircles = 2000;
constexpr std::int64_t kTargetsShown = 3;

// Every so many of the values, so that no more than kMostCircles are left.
std::vector<double> circles_of(const std::vector<double>& values) {
  const std::size_t every = (values.size() + kMostCircles - 1) / kMostCircles;
  std::vector<double> kept;
  for (std::size_t i = 0; i < values.size(); i += std::max<std::size_t>(every, 1)) kept.push_back(values[i]);
  return kept;
}

// One target of the samples: values [rows, K], of which every K-th belongs to it.
RegressValues target_values(const RegressData& data, const Tensor& predicted, const std::vector<double>& actual,
                            std::int64_t target) {
  const std::int64_t K = data.target_count();
  RegressValues values{data.columns.targets[static_cast<std::size_t>(target)], {}, {}};
  for (std::int64_t i = target; i < std::ssize(actual); i += K) {
    values.actual.push_back(actual[static_cast<std::size_t>(i)]);
    values.predicted.push_back(static_cast<double>(predicted[i]));
  }
  return values;
}

std::vector<double> errors_of(const RegressValues& values) {
  std::vector<double> errors;
  for (std::size_t i = 0; i < values.actual.size(); ++i) errors.push_back(values.actual[i] - values.predicted[i]);
  return errors;
}

LineChart error_over_prediction_chart(const RegressValues& values) {
  LineChart chart{.x_label = fmt::format("predicted {}", values.name),
                  .y_label = fmt::format("error, {}", values.name),
                  .description = "errors over the predicted values"};
  chart.title = "Errors";
  chart.measured_x = true;
  const auto [low, high] = std::minmax_element(values.predicted.begin(), values.predicted.end());
  chart.lines = {{"", {*low, *high}, {0, 0}, true}, {"", circles_of(values.predicted), circles_of(errors_of(values))}};
  chart.lines[1].points = true;
  return chart;
}

void add_curve_figure(const Model& model, const RegressData& data, std::vector<Figure>& figures) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  const Tensor predicted = predict_samples(model.network(), data.samples, all);
  const std::vector<double> actual = targets_of(data, all);
  std::vector<double> x;
  for (const auto& sample : data.samples.sequences) x.push_back(static_cast<double>(sample.values[0]));
  for (std::int64_t k = 0; k < std::min(kTargetsShown, data.target_count()); ++k) {
    const RegressValues values = target_values(data, predicted, actual, k);
    figures.push_back({fmt::format("{} over {}", values.name, data.columns.features.front()),
                       fmt::format("All {} samples, those of the training part too", data.size()),
                       chart_svg(curve_chart(x, values, data.columns.features.front()))});
  }
}

}  // namespace

LineChart agreement_chart(const RegressValues& values) {
  LineChart chart{.x_label = fmt::format("actual {}", values.name),
                  .y_label = fmt::format("predicted {}", values.name),
                  .description = "predicted over actual values"};
  chart.measured_x = true;
  const auto [low, high] = std::minmax_element(values.actual.begin(), values.actual.end());
  chart.lines = {{"as it should be", {*low, *high}, {*low, *high}, true},
                 {"prediction", circles_of(values.actual), circles_of(values.predicted)}};
  chart.lines[1].points = true;
  return chart;
}

LineChart curve_chart(std::vector<double> x, const RegressValues& values, const std::string& feature) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a] < x[b]; });
  LineChart chart{.x_label = feature, .y_label = values.name, .description = "the curve that was learnt"};
  chart.measured_x = true;
  chart.lines = {{"data", circles_of(x), circles_of(values.actual)}, {"model", {}, {}}};
  chart.lines[0].points = true;
  for (const std::size_t i : order) {
    chart.lines[1].x.push_back(x[i]);
    chart.lines[1].y.push_back(values.predicted[i]);
  }
  return chart;
}

void add_regress_figures(const Model& model, const RegressData& data, std::span<const std::int64_t> samples,
                         std::vector<Figure>& figures) {
  if (RegressInfo::from_model(model).binary) return;
  if (data.columns.features.size() == 1) add_curve_figure(model, data, figures);
  const Tensor predicted = predict_samples(model.network(), data.samples, samples);
  const std::vector<double> actual = targets_of(data, samples);
  const std::int64_t shown = std::min(kTargetsShown, data.target_count());
  for (std::int64_t k = 0; k < shown; ++k) {
    const RegressValues values = target_values(data, predicted, actual, k);
    const std::string prefix = data.target_count() == 1 ? "" : values.name + ": ";
    const std::string which = shown < data.target_count()
                                  ? fmt::format("; the first {} of {} targets are drawn", shown, data.target_count())
                                  : "";
    figures.push_back({prefix + "Predicted and actual",
                       fmt::format("{} values{}{}", values.actual.size(),
                                   values.actual.size() > kMostCircles ? ", evenly thinned" : "", which),
                       chart_svg(agreement_chart(values))});
    std::vector<LineChart> panels{error_over_prediction_chart(values),
                                  histogram_chart(errors_of(values), fmt::format("error, {}", values.name))};
    for (LineChart& panel : panels) panel.height = 280;
    figures.push_back({prefix + "Errors", "Actual less predicted, of the same values", panels_svg(panels, 2)});
  }
}

void write_regress_report(const Options& options, const Model& model, const RegressData& data,
                          std::span<const std::int64_t> samples, const EvaluateResult& result,
                          const CurveRecorder* curves) {
  Report report;
  report.title = fmt::format("Regression of {}", file_names(options.data.data));
  const std::string cell = options.model.cell == "none" ? "feed-forward" : options.model.cell;
  report.model = curves ? cell : "model";
  if (curves) report.facts.emplace_back("network", cell);
  report.facts.emplace_back("parameters", std::to_string(model.parameter_count()));
  if (curves) add_notes(curves->notes(), report);
  report.part = fmt::format("{}, {} samples",
                            curves                      ? "validation part"
                            : options.data.part.empty() ? "all samples"
                                                        : options.data.part + " part",
                            result.samples);
  report.metrics = result.metrics;
  report.baselines = result.baselines;
  add_regress_figures(model, data, samples, report.figures);
  if (curves) {
    report.figures.push_back(
        {"Loss", "Training and validation loss by epoch, in scaled units", chart_svg(loss_chart(curves->epochs()))});
    add_saturation_figure(curves->epochs(), report.figures);
  }
  write_report_files(options.output, report);
}

}  // namespace carousel
