#include "report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/fail.h"
#include "base/json.h"
#include "tasks/metrics.h"
#include "tasks/significance.h"

namespace carousel::cli {
namespace {

using Json = nlohmann::ordered_json;

double metric_of(const Metrics& metrics, const Bound& bound) {
  if (const double* value = find_metric(metrics, bound.metric)) return *value;
  std::vector<std::string> known;
  for (const auto& [name, value] : metrics) known.push_back(name);
  fail(Code::kUsage, "there is no metric {}{} Known here: {}", bound.metric, did_you_mean(bound.metric, known),
       fmt::join(known, ", "));
}

// The first metric that both have, and its two values.
struct Duel {
  std::string metric;
  double model = 0, baseline = 0;
};
Duel duel(const Metrics& model, const Baseline& baseline) {
  for (const auto& [name, value] : model) {
    if (const double* other = find_metric(baseline.metrics, name)) return {name, value, *other};
  }
  return {};
}

}  // namespace

Json metrics_json(const Metrics& metrics) {
  Json object = Json::object();
  for (const auto& [name, value] : metrics) object[name] = value;
  return object;
}

namespace {

Json horizon_json(const HorizonErrors& errors) { return {{"rmse", errors.rmse}, {"mae", errors.mae}}; }

}  // namespace

Json to_json(const EvaluateResult& result) {
  Json baseline = Json::object();
  for (const Baseline& entry : result.baselines) baseline[entry.name] = metrics_json(entry.metrics);
  Json object{{"schema", 1},
              {"task", result.task},
              {"samples", result.samples},
              {"metrics", metrics_json(result.metrics)},
              {"baseline", baseline}};
  if (!result.by_horizon.rmse.empty()) {
    object["by_horizon"]["model"] = horizon_json(result.by_horizon);
    for (const Baseline& entry : result.baselines) object["by_horizon"][entry.name] = horizon_json(entry.by_horizon);
  }
  for (const TypeScore& score : result.by_type) {
    object["by_type"][score.type] = {
        {"precision", score.precision}, {"recall", score.recall}, {"f1", score.f1}, {"support", score.support}};
  }
  for (const Baseline& entry : result.baselines) {
    if (entry.p) object["p"][entry.name] = *entry.p;
  }
  if (!result.notes.empty()) object["notes"] = result.notes;
  for (const ScoredToken& token : result.tokens) {
    object["tokens"].push_back(token.token);
    object["ids"].push_back(token.id);
    object["log_probabilities"].push_back(token.log_probability);
  }
  return object;
}

std::string surprise_text(std::span<const ScoredToken> tokens, const Console& console) {
  std::string text;
  for (const ScoredToken& token : tokens) {
    const double p = std::exp(token.log_probability);
    const Style style = p >= 0.1     ? Style::kGreen
                        : p >= 0.01  ? Style::kPlain
                        : p >= 0.001 ? Style::kYellow
                                     : Style::kRed;
    text += fmt::format("{:<11.3g}{}\n", p, console.paint(style, token.token == "\n" ? "\\n" : one_line(token.token)));
  }
  return text;
}

Json to_json(const TrainResult& result) {
  Json object = to_json(static_cast<const EvaluateResult&>(result));
  object["model"] = result.model;
  object["run_dir"] = result.run_dir;
  object["epochs"] = result.epochs;
  object["steps"] = result.steps;
  object["seconds"] = result.seconds;
  object["batch_seconds"] = result.batch_seconds;
  object["samples_per_second"] = result.samples_per_second;
  object["parameters"] = result.parameters;
  return object;
}

bool beats(const Metrics& model, const Baseline& baseline) {
  const Duel both = duel(model, baseline);
  if (both.metric.empty()) return false;
  return higher_is_better(both.metric) ? both.model > both.baseline : both.model < both.baseline;
}

std::string verdict(const Metrics& model, const Baseline& baseline) {
  const Duel both = duel(model, baseline);
  if (both.metric.empty()) return fmt::format("The model and {} have no metric in common.", baseline.name);
  const bool better = beats(model, baseline);
  std::string difference;
  if (baseline.p && both.baseline != 0) {
    difference = fmt::format(" ({:+.1f} %, p {})", 100 * (both.model - both.baseline) / std::abs(both.baseline),
                             *baseline.p < 0.001 ? "< 0.001" : fmt::format("= {:.2g}", *baseline.p));
  }
  const bool by_chance = better && baseline.p.value_or(0) >= kSignificance;
  return fmt::format("The model {} {}{}: {} {:.4g} against {:.4g}{}.", better && !by_chance ? "beats" : "does not beat",
                     baseline.name, by_chance ? " significantly" : "", both.metric, both.model, both.baseline,
                     difference);
}

namespace {

std::string types_text(const std::vector<TypeScore>& by_type) {
  if (by_type.empty()) return "";
  std::vector<std::vector<std::string>> rows{{"type", "precision", "recall", "f1", "support"}};
  for (const TypeScore& score : by_type) {
    rows.push_back({one_line(score.type), fmt::format("{:.4g}", score.precision), fmt::format("{:.4g}", score.recall),
                    fmt::format("{:.4g}", score.f1), std::to_string(score.support)});
  }
  return text_table(rows, true);
}

}  // namespace

std::string result_text(const EvaluateResult& result, const Console& console) {
  std::vector<std::vector<std::string>> rows(1, {fmt::format("{} samples", result.samples)});
  std::vector<std::string> model{"model"};
  for (const auto& [name, value] : result.metrics) {
    rows[0].push_back(name);
    model.push_back(fmt::format("{:.4g}", value));
  }
  rows.push_back(std::move(model));
  for (const Baseline& baseline : result.baselines) {
    std::vector<std::string> row{baseline.name};
    for (const auto& [name, value] : result.metrics) {
      const double* other = find_metric(baseline.metrics, name);
      row.push_back(other == nullptr ? "-" : fmt::format("{:.4g}", *other));
    }
    rows.push_back(std::move(row));
  }
  std::string text = text_table(rows, true) + types_text(result.by_type);
  for (const Baseline& baseline : result.baselines) {
    const bool clear = beats(result.metrics, baseline) && baseline.p.value_or(0) < kSignificance;
    text += console.paint(clear ? Style::kGreen : Style::kYellow, verdict(result.metrics, baseline)) + "\n";
  }
  for (const std::string& note : result.notes) text += note + "\n";
  return text;
}

Bound parse_bound(const std::string& flag, const std::string& text) {
  const std::size_t equals = text.find('=');
  Bound bound{.metric = text.substr(0, equals)};
  const char* start = text.data() + std::min(equals, text.size() - 1) + 1;
  const char* stop = text.data() + text.size();
  const auto [end, error] = std::from_chars(start, stop, bound.value);
  if (equals == std::string::npos || error != std::errc() || end != stop || !std::isfinite(bound.value)) {
    fail(Code::kUsage, "{} is '{}', expected METRIC=NUMBER, as in accuracy=0.9", flag, text);
  }
  return bound;
}

void check_bounds(const Metrics& metrics, const std::vector<Bound>& minima, const std::vector<Bound>& maxima) {
  for (const Bound& bound : minima) {
    const double value = metric_of(metrics, bound);
    if (!(value >= bound.value)) {
      fail(Code::kBound, "{} is {:.6g}, expected at least {:.6g}", bound.metric, value, bound.value);
    }
  }
  for (const Bound& bound : maxima) {
    const double value = metric_of(metrics, bound);
    if (!(value <= bound.value)) {
      fail(Code::kBound, "{} is {:.6g}, expected at most {:.6g}", bound.metric, value, bound.value);
    }
  }
}

}  // namespace carousel::cli
