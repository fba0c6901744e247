#include "tasks/compare/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/random.h"
#include "models/json_text.h"
#include "tasks/classify/classify_data.h"
#include "tasks/metrics.h"

namespace carousel {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::int64_t kLongestLine = 1 << 20;

// In [0, 1). The draws of a trial are numbered, so that one more setting leaves the others as they are.
double draw_number(const ComparisonPlan& plan, std::int64_t trial, std::uint64_t number) {
  const RandomKey key{static_cast<std::uint64_t>(plan.options.train.seed), Purpose::kSample,
                      static_cast<std::uint64_t>(trial)};
  return static_cast<double>(uniform(key, number));
}

// Uniform in the logarithm.
double log_uniform(const ComparisonPlan& plan, std::int64_t trial, std::uint64_t number, const SearchRange& range) {
  return range.low * std::pow(range.high / range.low, draw_number(plan, trial, number));
}

OrderedJson object_of(const Metrics& metrics) {
  OrderedJson object = OrderedJson::object();
  for (const auto& [name, value] : metrics) object[name] = value;
  return object;
}

// The metric called `first` comes first, the others in the order of their names.
Metrics metrics_of(const nlohmann::json& object, const std::string& first) {
  Metrics metrics;
  for (const auto& [name, value] : object.items()) {
    const double number = value.is_null() ? std::nan("") : value.get<double>();
    metrics.insert(name == first ? metrics.begin() : metrics.end(), {name, number});
  }
  return metrics;
}

// What the ranking goes by: one that failed is worse than any other.
double ranking_score(const Trial& trial, bool higher_is_better) {
  if (trial.failure.empty()) return trial.metrics.front().second;
  return higher_is_better ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

std::vector<const Trial*> trials_of(std::span<const Trial> trials, std::string_view cell) {
  std::vector<const Trial*> list;
  for (const Trial& trial : trials) {
    if (trial.cell == cell) list.push_back(&trial);
  }
  std::sort(list.begin(), list.end(),
            [](const Trial* a, const Trial* b) { return a->settings.trial < b->settings.trial; });
  return list;
}

std::vector<double> scores_of(const Comparison& comparison, std::string_view cell) {
  std::vector<double> scores;
  for (const Trial* trial : trials_of(comparison.trials, cell)) {
    scores.push_back(ranking_score(*trial, comparison.higher_is_better));
  }
  return scores;
}

CellResult cell_result(const Comparison& comparison, const std::string& cell) {
  const std::vector<double> scores = scores_of(comparison, cell);
  CellResult result;
  result.cell = cell;
  result.median = quantile(scores, 0.5);
  result.lower_quartile = quantile(scores, 0.25);
  result.upper_quartile = quantile(scores, 0.75);
  result.best = quantile(scores, comparison.higher_is_better ? 1 : 0);
  std::vector<double> seconds;
  for (const Trial* trial : trials_of(comparison.trials, cell)) {
    if (trial->failure.empty()) seconds.push_back(trial->seconds);
  }
  result.finished = std::ssize(seconds);
  result.diverged = std::ssize(scores) - result.finished;
  if (const Trial* best = best_trial(comparison.trials, cell)) {
    result.best_trial = *best;
    result.median_seconds = quantile(seconds, 0.5);
  }
  return result;
}

CellPair cell_pair(const Comparison& comparison, const std::string& a, const std::string& b) {
  const std::vector<double> first = scores_of(comparison, a), second = scores_of(comparison, b);
  CellPair pair{.a = a, .b = b, .test = mann_whitney(first, second)};
  for (std::size_t k = 0; k < first.size(); ++k) {
    if (first[k] == second[k]) continue;
    ++((first[k] > second[k]) == comparison.higher_is_better ? pair.a_better : pair.b_better);
  }
  return pair;
}

}  // namespace

TrialSettings draw_trial(const ComparisonPlan& plan, std::int64_t trial) {
  TrialSettings settings;
  settings.trial = trial;
  settings.seed = plan.options.train.seed + trial;
  settings.lr = plan.options.train.lr > 0 ? plan.options.train.lr : log_uniform(plan, trial, 0, plan.lr);
  settings.hidden_size = plan.options.model.hidden_size;
  if (settings.hidden_size == 0) {  // whole numbers: each stands for the interval up to the next
    const double drawn = log_uniform(plan, trial, 1, {plan.hidden_size.low, plan.hidden_size.high + 1});
    settings.hidden_size = static_cast<std::int64_t>(std::min(drawn, plan.hidden_size.high));
  }
  const SearchRange& noise = plan.input_noise;
  settings.input_noise = noise.low + (noise.high - noise.low) * draw_number(plan, trial, 2);
  return settings;
}

bool takes_input_noise(const std::string& task, const DataOptions& data) {
  if (task == "classify") return are_sequences(data.data, data);
  return task == "forecast" || task == "impute" || task == "regress";
}

std::string trial_line(const Trial& trial) {
  OrderedJson object{{"cell", trial.cell},
                     {"trial", trial.settings.trial},
                     {"seed", trial.settings.seed},
                     {"lr", trial.settings.lr},
                     {"hidden_size", trial.settings.hidden_size},
                     {"input_noise", trial.settings.input_noise},
                     {"failure", trial.failure},
                     {"metric", trial.metrics.empty() ? "" : trial.metrics.front().first},
                     {"metrics", object_of(trial.metrics)},
                     {"baseline", OrderedJson::object()},
                     {"samples", trial.samples},
                     {"parameters", trial.parameters},
                     {"epochs", trial.epochs},
                     {"steps", trial.steps},
                     {"seconds", trial.seconds}};
  for (const Baseline& baseline : trial.baselines) object["baseline"][baseline.name] = object_of(baseline.metrics);
  return json_output(object) + "\n";
}

Trial parse_trial(std::string_view line, const std::string& place) {
  try {
    const nlohmann::json object = parse_json_text(line, kLongestLine, place);
    Trial trial;
    object.at("cell").get_to(trial.cell);
    object.at("trial").get_to(trial.settings.trial);
    object.at("seed").get_to(trial.settings.seed);
    object.at("lr").get_to(trial.settings.lr);
    object.at("hidden_size").get_to(trial.settings.hidden_size);
    object.at("input_noise").get_to(trial.settings.input_noise);
    object.at("failure").get_to(trial.failure);
    const std::string metric = object.at("metric");
    trial.metrics = metrics_of(object.at("metrics"), metric);
    for (const auto& [name, metrics] : object.at("baseline").items()) {
      trial.baselines.push_back({name, metrics_of(metrics, metric)});
    }
    object.at("samples").get_to(trial.samples);
    object.at("parameters").get_to(trial.parameters);
    object.at("epochs").get_to(trial.epochs);
    object.at("steps").get_to(trial.steps);
    object.at("seconds").get_to(trial.seconds);
    if (trial.failure.empty() && (trial.metrics.empty() || trial.metrics.front().first != metric)) {
      fail(Code::kData, "{}: there is no metric '{}' among the metrics", place, printable(metric));
    }
    return trial;
  } catch (const nlohmann::json::exception& error) {
    fail(Code::kData, "{}: this is no line of a comparison: {}", place, error.what());
  }
}

const Trial* best_trial(std::span<const Trial> trials, std::string_view cell) {
  const Trial* best = nullptr;
  for (const Trial* trial : trials_of(trials, cell)) {
    if (!trial->failure.empty()) continue;
    const auto& [metric, value] = trial->metrics.front();
    const double least = best == nullptr ? 0 : best->metrics.front().second;
    if (best == nullptr || (higher_is_better(metric) ? value > least : value < least)) best = trial;
  }
  return best;
}

Comparison summarize_comparison(const ComparisonPlan& plan, std::vector<Trial> trials) {
  Comparison comparison;
  comparison.task = plan.task;
  const auto first = std::find_if(trials.begin(), trials.end(), [](const Trial& t) { return t.failure.empty(); });
  if (first == trials.end()) {
    fail(Code::kDiverged, "all {} trainings failed; the first: {}", trials.size(), trials.front().failure);
  }
  comparison.metric = first->metrics.front().first;
  comparison.higher_is_better = higher_is_better(comparison.metric);
  comparison.samples = first->samples;
  comparison.baselines = first->baselines;
  comparison.trials = std::move(trials);
  for (const std::string& cell : plan.cells) comparison.cells.push_back(cell_result(comparison, cell));
  std::vector<double> p;
  const std::size_t given = plan.cells.size() - static_cast<std::size_t>(plan.drawn);
  for (std::size_t i = 0; i < given; ++i) {
    for (std::size_t j = i + 1; j < plan.cells.size(); ++j) {
      comparison.pairs.push_back(cell_pair(comparison, plan.cells[i], plan.cells[j]));
      p.push_back(comparison.pairs.back().test.p);
    }
  }
  const std::vector<double> adjusted = holm_adjusted(p);
  for (std::size_t k = 0; k < adjusted.size(); ++k) comparison.pairs[k].p_adjusted = adjusted[k];
  return comparison;
}

}  // namespace carousel
