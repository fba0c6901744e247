#include "comparison_output.h"

#include <fmt/format.h>

#include "base/json.h"
#include "console.h"
#include "report.h"
#include "row_writer.h"

namespace carousel::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string markdown_table(const TableRows& rows) {
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (const std::string& cell : rows[r]) text += "| " + cell + " ";
    text += "|\n";
    if (r > 0) continue;
    for (std::size_t k = 0; k < rows[r].size(); ++k) text += k == 0 ? "| --- " : "| ---: ";
    text += "|\n";
  }
  return text;
}

Json cell_json(const CellResult& cell) {
  Json object{{"cell", cell.cell},
              {"finished", cell.finished},
              {"diverged", cell.diverged},
              {"best", cell.best},
              {"median", cell.median},
              {"lower_quartile", cell.lower_quartile},
              {"upper_quartile", cell.upper_quartile},
              {"best_trial", nullptr},
              {"test", nullptr}};
  if (cell.finished > 0) {
    const Trial& best = cell.best_trial;
    object["median_seconds"] = cell.median_seconds;
    object["best_trial"] = {{"trial", best.settings.trial},
                            {"seed", best.settings.seed},
                            {"lr", best.settings.lr},
                            {"hidden_size", best.settings.hidden_size},
                            {"input_noise", best.settings.input_noise},
                            {"metrics", metrics_json(best.metrics)},
                            {"parameters", best.parameters},
                            {"epochs", best.epochs},
                            {"seconds", best.seconds},
                            {"model", cell.model}};
  }
  if (!cell.test.empty()) object["test"] = metrics_json(cell.test);
  return object;
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string text = text_table(cell_rows(comparison), true);
  if (!comparison.pairs.empty()) text += "\n" + text_table(pair_rows(comparison), true);
  return text + "\n" + comparison_verdict(comparison) + "\n";
}

std::string comparison_markdown(const ComparisonPlan& plan, const Comparison& comparison) {
  std::string text = fmt::format("# Cells compared: {}\n\n{} trainings of each cell; {} on the validation part.\n\n",
                                 plan.task, plan.trials, comparison.metric);
  text += markdown_table(cell_rows(comparison));
  if (!comparison.pairs.empty()) text += "\n" + markdown_table(pair_rows(comparison));
  return text + "\n" + comparison_verdict(comparison) + "\n";
}

Json comparison_json(const ComparisonPlan& plan, const Comparison& comparison) {
  Json object{{"schema", 1},
              {"task", comparison.task},
              {"metric", comparison.metric},
              {"higher_is_better", comparison.higher_is_better},
              {"samples", comparison.samples},
              {"trials", plan.trials},
              {"run_dir", plan.run_dir},
              {"cells", Json::array()},
              {"pairs", Json::array()},
              {"baseline", Json::object()}};
  for (const CellResult& cell : comparison.cells) object["cells"].push_back(cell_json(cell));
  for (const CellPair& pair : comparison.pairs) {
    object["pairs"].push_back({{"a", pair.a},
                               {"b", pair.b},
                               {"a_better", pair.a_better},
                               {"b_better", pair.b_better},
                               {"u", pair.test.u},
                               {"p", pair.test.p},
                               {"p_adjusted", pair.p_adjusted},
                               {"exact", pair.test.exact}});
  }
  for (const Baseline& baseline : comparison.baselines) {
    object["baseline"][baseline.name] = metrics_json(baseline.metrics);
  }
  return object;
}

std::string csv_text(const TableRows& rows) {
  std::string text;
  for (const auto& row : rows) text += csv_line(row) + "\n";
  return text;
}

}  // namespace carousel::cli
