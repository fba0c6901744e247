#include "tasks/report/run_report.h"

#include <fmt/format.h>

namespace carousel {

void add_notes(std::span<const std::string> notes, Report& report) {
  for (const std::string& note : notes) {
    const std::size_t colon = note.find(':');
    if (colon != std::string::npos) report.facts.emplace_back(note.substr(0, colon), note.substr(colon + 1));
  }
}

Report training_report(const std::string& title, const std::pair<std::string, std::string>& model,
                       const std::string& unit, const TrainResult& result, const CurveRecorder& curves) {
  Report report;
  report.title = title;
  report.facts = {model, {"parameters", std::to_string(result.parameters)}, {"epochs", std::to_string(result.epochs)}};
  add_notes(curves.notes(), report);
  report.part = fmt::format("validation part, {} {}", result.samples, unit);
  report.model = model.second;
  report.metrics = result.metrics;
  report.baselines = result.baselines;
  report.figures = {{"Loss", "Training and validation loss by epoch", chart_svg(loss_chart(curves.epochs()))}};
  return report;
}

Report evaluation_report(const Options& options, const std::string& unit, const EvaluateResult& result,
                         const Model& model) {
  Report report;
  report.title = fmt::format("Evaluation on {}", file_names(options.data.data));
  report.facts = {{"parameters", std::to_string(model.parameter_count())}};
  report.part = fmt::format("{} {}", result.samples, unit);
  report.model = "model";
  report.metrics = result.metrics;
  report.baselines = result.baselines;
  return report;
}

}  // namespace carousel
