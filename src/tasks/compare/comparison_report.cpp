#include "tasks/compare/comparison_report.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/fail.h"
#include "tasks/metrics.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

constexpr double kLevel = 0.05;

std::string result_text(double value) { return std::isfinite(value) ? fmt::format("{:.4g}", value) : "diverged"; }

// The cells, the one with the best median first.
std::vector<const CellResult*> ranked_cells(const Comparison& comparison) {
  std::vector<const CellResult*> list;
  for (const CellResult& cell : comparison.cells) list.push_back(&cell);
  std::stable_sort(list.begin(), list.end(), [&](const CellResult* a, const CellResult* b) {
    return comparison.higher_is_better ? a->median > b->median : a->median < b->median;
  });
  return list;
}

bool has_test(const Comparison& comparison) {
  return std::any_of(comparison.cells.begin(), comparison.cells.end(), [](const auto& c) { return !c.test.empty(); });
}

std::string result_table(const TableRows& rows) {
  std::string html = "<div class=\"wide\"><table class=\"metrics\"><thead><tr>";
  for (const std::string& cell : rows.front()) html += fmt::format("<th scope=\"col\">{}</th>", html_escaped(cell));
  html += "</tr></thead><tbody>\n";
  for (std::size_t r = 1; r < rows.size(); ++r) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", html_escaped(rows[r].front()));
    for (std::size_t k = 1; k < rows[r].size(); ++k) html += fmt::format("<td>{}</td>", html_escaped(rows[r][k]));
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

// The metric of every training that finished, over what `place` says of it; one colour for each cell.
LineChart quality_chart(const Comparison& comparison, const std::string& x_label,
                        const std::function<double(const Trial&)>& place) {
  constexpr std::size_t kPageColours = 6;  // of lines; the cells after them get dashed circles
  LineChart chart;
  chart.x_label = x_label;
  chart.y_label = comparison.metric;
  chart.description = fmt::format("{} of every training over {}", comparison.metric, x_label);
  chart.log_x = true;
  for (const CellResult& cell : comparison.cells) {
    ChartLine line{.name = cell.cell, .x = {}, .y = {}, .dashed = chart.lines.size() >= kPageColours, .points = true};
    for (const Trial& trial : comparison.trials) {
      if (trial.cell != cell.cell || !trial.failure.empty()) continue;
      line.x.push_back(place(trial));
      line.y.push_back(trial.metrics.front().second);
    }
    chart.lines.push_back(std::move(line));
  }
  return chart;
}

std::string range_text(const char* how, const SearchRange& range) {
  return range.low == range.high ? fmt::format("{:g}", range.low)
                                 : fmt::format("{} from {:g} to {:g}", how, range.low, range.high);
}

std::string search_text(const SearchRange& range, double fixed) {
  if (fixed > 0) return fmt::format("{:g}", fixed);
  return range_text("log-uniform", range);
}

}  // namespace

TableRows cell_rows(const Comparison& comparison) {
  const std::string& metric = comparison.metric;
  const bool test = has_test(comparison);
  TableRows rows{{"cell", "trainings", "best " + metric, "median", "quartiles"}};
  if (test) rows[0].push_back("test " + metric + " of the best");
  rows[0].insert(rows[0].end(), {"parameters of the best", "median seconds"});
  for (const CellResult* cell : ranked_cells(comparison)) {
    const std::int64_t all = cell->finished + cell->diverged;
    std::vector<std::string> row{
        cell->cell, cell->diverged > 0 ? fmt::format("{}, {} diverged", all, cell->diverged) : std::to_string(all),
        result_text(cell->best), result_text(cell->median),
        fmt::format("{} to {}", result_text(cell->lower_quartile), result_text(cell->upper_quartile))};
    const double* tested = find_metric(cell->test, metric);
    if (test) row.push_back(tested == nullptr ? "-" : result_text(*tested));
    const bool any = cell->finished > 0;
    row.push_back(any ? std::to_string(cell->best_trial.parameters) : "-");
    row.push_back(any ? fmt::format("{:.2f}", cell->median_seconds) : "-");
    rows.push_back(std::move(row));
  }
  for (const Baseline& baseline : comparison.baselines) {
    const double* value = find_metric(baseline.metrics, metric);
    if (value == nullptr) continue;
    std::vector<std::string> row(rows[0].size(), "-");
    row[0] = baseline.name;
    row[2] = result_text(*value);
    rows.push_back(std::move(row));
  }
  return rows;
}

TableRows pair_rows(const Comparison& comparison) {
  TableRows rows{{"pair", "better at the same settings", "U", "p", "p adjusted"}};
  for (const CellPair& pair : comparison.pairs) {
    rows.push_back({fmt::format("{} : {}", pair.a, pair.b), fmt::format("{} : {}", pair.a_better, pair.b_better),
                    fmt::format("{:g}", pair.test.u), fmt::format("{:.3g}", pair.test.p),
                    fmt::format("{:.3g}", pair.p_adjusted)});
  }
  return rows;
}

TableRows cell_number_rows(const Comparison& comparison) {
  TableRows rows{{"cell", "finished", "diverged", "best", "median", "lower_quartile", "upper_quartile", "test",
                  "best_trial", "parameters", "median_seconds"}};
  for (const CellResult& cell : comparison.cells) {
    const double* tested = find_metric(cell.test, comparison.metric);
    rows.push_back({cell.cell, std::to_string(cell.finished), std::to_string(cell.diverged),
                    fmt::format("{}", cell.best), fmt::format("{}", cell.median),
                    fmt::format("{}", cell.lower_quartile), fmt::format("{}", cell.upper_quartile),
                    tested == nullptr ? "" : fmt::format("{}", *tested), std::to_string(cell.best_trial.settings.trial),
                    std::to_string(cell.best_trial.parameters), fmt::format("{:.3f}", cell.median_seconds)});
  }
  return rows;
}

TableRows trial_rows(const Comparison& comparison) {
  TableRows rows{{"cell", "trial", "seed", "lr", "hidden_size", "input_noise", "failure", "parameters", "epochs",
                  "steps", "seconds"}};
  const auto first = std::find_if(comparison.trials.begin(), comparison.trials.end(),
                                  [](const Trial& trial) { return trial.failure.empty(); });
  for (const auto& [name, value] : first->metrics) rows[0].push_back(name);
  for (const Trial& trial : comparison.trials) {
    std::vector<std::string> row{trial.cell,
                                 std::to_string(trial.settings.trial),
                                 std::to_string(trial.settings.seed),
                                 fmt::format("{}", trial.settings.lr),
                                 std::to_string(trial.settings.hidden_size),
                                 fmt::format("{}", trial.settings.input_noise),
                                 trial.failure,
                                 std::to_string(trial.parameters),
                                 std::to_string(trial.epochs),
                                 std::to_string(trial.steps),
                                 fmt::format("{:.3f}", trial.seconds)};
    for (const auto& [name, unused] : first->metrics) {
      const double* value = find_metric(trial.metrics, name);
      row.push_back(value == nullptr ? "" : fmt::format("{}", *value));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string comparison_verdict(const Comparison& comparison) {
  const CellResult& best = *ranked_cells(comparison).front();
  std::vector<std::string> apart, alike;
  for (const CellPair& pair : comparison.pairs) {
    if (pair.a != best.cell && pair.b != best.cell) continue;
    (pair.p_adjusted < kLevel ? apart : alike).push_back(pair.a == best.cell ? pair.b : pair.a);
  }
  std::string text =
      fmt::format("{} has the best median {}: {}.", best.cell, comparison.metric, result_text(best.median));
  if (!apart.empty()) text += fmt::format(" The test tells it apart from {}.", fmt::join(apart, ", "));
  if (!alike.empty()) text += fmt::format(" It could be chance beside {}.", fmt::join(alike, ", "));
  return text;
}

std::string comparison_page(const ComparisonPlan& plan, const Comparison& comparison) {
  const TrainOptions& train = plan.options.train;
  Report report;
  report.title = fmt::format("Cells compared on {}", file_names(plan.options.data.data));
  report.facts = {{"task", plan.task},
                  {"trainings of each cell", std::to_string(plan.trials)},
                  {"learning rate", search_text(plan.lr, train.lr)},
                  {"hidden_size", search_text(plan.hidden_size, static_cast<double>(plan.options.model.hidden_size))},
                  {"input noise", range_text("uniform", plan.input_noise)},
                  {"epochs at most", train.epochs == 0 ? "the task's own" : std::to_string(train.epochs)},
                  {"seeds", fmt::format("{} to {}", train.seed, train.seed + plan.trials - 1)},
                  {"validation part", fmt::format("{} samples", comparison.samples)}};
  if (plan.seconds > 0) report.facts.emplace_back("seconds at most", fmt::format("{:g}", plan.seconds));
  report.facts.emplace_back("result", comparison_verdict(comparison));
  const char* better = comparison.higher_is_better ? "higher is better" : "lower is better";
  report.figures = {
      {"Cells",
       fmt::format("{} on the validation part, {}. The quartiles enclose half of the trainings.", comparison.metric,
                   better),
       result_table(cell_rows(comparison))},
      {"Quality against size", fmt::format("One circle for each training; {}", better),
       chart_svg(quality_chart(comparison, "parameters",
                               [](const Trial& trial) { return static_cast<double>(trial.parameters); }))},
      {"Quality against time", fmt::format("Training on one thread; {}", better),
       chart_svg(quality_chart(comparison, "seconds", [](const Trial& trial) { return trial.seconds; }))}};
  if (!comparison.pairs.empty()) {
    report.figures.push_back({"Pairs",
                              "Mann-Whitney U test, two-sided: p is the probability of so great a difference, were "
                              "the cells alike; adjusted for the number of pairs after Holm",
                              result_table(pair_rows(comparison))});
  }
  return report_page(report);
}

}  // namespace carousel
