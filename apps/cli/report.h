// report.h: results of training and evaluation as tables and sentences for people, and as JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "console.h"
#include "tasks/task.h"

namespace carousel::cli {

// {"schema", "task", "samples", "metrics": {...}, "baseline": {name: {...}}}; training adds its keys, --surprise the
// lists "tokens", "ids" and "log_probabilities".
nlohmann::ordered_json to_json(const EvaluateResult& result);
nlohmann::ordered_json to_json(const TrainResult& result);

nlohmann::ordered_json metrics_json(const Metrics& metrics);

// A line for each token: its probability, and the token, from green (at least 0.1) to red (less than 0.001).
std::string surprise_text(std::span<const ScoredToken> tokens, const Console& console);

// A table of model and baselines, then one sentence per baseline that says whether the model beats it.
std::string result_text(const EvaluateResult& result, const Console& console);

// "The model beats last_value: mse 0.4 against 1.2 (-66.7 %, p < 0.001)."; judged by the first metric that both have. A
// tie is no victory, and neither is a difference that chance makes in one of twenty cases.
std::string verdict(const Metrics& model, const Baseline& baseline);
bool beats(const Metrics& model, const Baseline& baseline);

// A bound such as "accuracy=0.9".
struct Bound {
  std::string metric;
  double value = 0;
};
Bound parse_bound(const std::string& flag, const std::string& text);  // throws Error{kUsage}

// Throws Error{kBound} if a metric is below its minimum or above its maximum, Error{kUsage} if there is no such metric.
void check_bounds(const Metrics& metrics, const std::vector<Bound>& minima, const std::vector<Bound>& maxima);

}  // namespace carousel::cli
