#include "tasks/forecast/forecast_info.h"

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/json.h"
#include "tasks/forecast/series_json.h"
#include "tasks/task_data.h"

namespace carousel {

using nlohmann::json;

namespace {

// Calls use(key, field) for what a training goes by but for its limits of time and memory.
template <class Options, class Use>
void for_each_training_field(Options& options, Use use) {
  use("epochs", options.epochs);
  use("batch_size", options.batch_size);
  use("optimizer", options.optimizer);
  use("lr", options.lr);
  use("momentum", options.momentum);
  use("schedule", options.schedule);
  use("warmup_steps", options.warmup_steps);
  use("lr_factor", options.lr_factor);
  use("lr_period", options.lr_period);
  use("lr_start", options.lr_start);
  use("average", options.average);
  use("weight_decay", options.weight_decay);
  use("input_noise", options.input_noise);
  use("clip", options.clip);
  use("clip_value", options.clip_value);
  use("accumulate", options.accumulate);
  use("bptt", options.bptt);
  use("loss", options.loss);
  use("seed", options.seed);
}

json training_to_json(const TrainOptions& options) {
  json object = json::object();
  for_each_training_field(options, [&](const char* key, const auto& field) { object[key] = field; });
  return object;
}

json scales_to_json(const ErrorScales& scales) {
  return {{"mean", scales.mean}, {"deviation", scales.deviation}, {"mase", scales.mase}};
}

ErrorScales scales_from_json(const json& object, std::size_t targets) {
  ErrorScales scales;
  object.at("mean").get_to(scales.mean);
  object.at("deviation").get_to(scales.deviation);
  object.at("mase").get_to(scales.mase);
  const auto fits = [&](const std::vector<double>& list) { return list.empty() || list.size() == targets; };
  const bool same = scales.mean.size() == scales.deviation.size() && scales.mean.size() == scales.mase.size();
  if (!same || !fits(scales.mean) || std::ranges::any_of(scales.deviation, [](double x) { return !(x > 0); }) ||
      std::ranges::any_of(scales.mase, [](double x) { return !(x >= 0); })) {
    fail(Code::kModel, "the forecaster's scales of errors do not fit its {} targets", targets);
  }
  return scales;
}

}  // namespace

std::string ForecastInfo::to_json() const {
  return json_text(json{{"columns", columns},
                        {"targets", targets},
                        {"horizon", horizon},
                        {"window", window},
                        {"season", season},
                        {"several", several},
                        {"stateful", stateful},
                        {"by_series", by_series},
                        {"error_scales", scales_to_json(held_back)},
                        {"reading", series_to_json(reading)},
                        {"split", split},
                        {"valid_fraction", valid_fraction},
                        {"scaling", scaling},
                        {"transform", transform},
                        {"scaler", scaler_to_json(scaler)},
                        {"derived", derived.to_json()},
                        {"distribution", distribution},
                        {"recursive", recursive},
                        {"levels", levels},
                        {"residual_steps", residuals.steps},
                        {"residuals", residuals.values},
                        {"error_deviation", error_deviation},
                        {"training", training_to_json(training)},
                        {"kept_epochs", kept_epochs},
                        {"kept_share", kept_share}});
}

namespace {

void check_quantiles(const ForecastInfo& info) {
  double last = 0;
  for (const double level : info.levels) {
    if (!(level > last && level < 1)) fail(Code::kModel, "the forecaster's levels do not rise between 0 and 1");
    last = level;
  }
  const ResidualQuantiles& residuals = info.residuals;
  if (info.levels.empty() && info.distribution == "quantile") fail(Code::kModel, "the forecaster has no levels");
  if (residuals.values.empty()) return;
  const std::int64_t steps = info.horizon;
  if (residuals.steps < 1 || residuals.steps > steps) fail(Code::kModel, "the forecaster's residuals do not fit");
  const std::int64_t sets = (steps + residuals.steps - 1) / residuals.steps;
  if (std::ssize(residuals.values) != sets * std::ssize(info.targets) * std::ssize(info.levels)) {
    fail(Code::kModel, "the forecaster has {} quantiles of residuals, expected {} x {} x {}", residuals.values.size(),
         sets, info.targets.size(), info.levels.size());
  }
}

}  // namespace

ForecastInfo ForecastInfo::of_network() const {
  ForecastInfo info = *this;
  if (recursive) info.horizon = 1;
  return info;
}

ForecastInfo ForecastInfo::from_model(const Model& model) {
  ForecastInfo info;
  read_task_data(model, "forecast", [&](const json& object) { info = from_json(object); });
  return info;
}

ForecastInfo ForecastInfo::from_json(const json& object) {
  ForecastInfo info;
  object.at("columns").get_to(info.columns);
  object.at("targets").get_to(info.targets);
  object.at("horizon").get_to(info.horizon);
  object.at("window").get_to(info.window);
  object.at("season").get_to(info.season);
  object.at("several").get_to(info.several);
  info.stateful = object.value("stateful", false);
  object.at("by_series").get_to(info.by_series);
  if (object.contains("error_scales")) {
    info.held_back = scales_from_json(object.at("error_scales"), info.targets.size());
  }
  info.reading = series_from_json(object.at("reading"));
  object.at("split").get_to(info.split);
  object.at("valid_fraction").get_to(info.valid_fraction);
  object.at("scaling").get_to(info.scaling);
  object.at("transform").get_to(info.transform);
  info.scaler = scaler_from_json(object.at("scaler"));
  info.derived = DerivedColumns::from_json(object.at("derived"));
  info.distribution = object.value("distribution", info.distribution);
  info.recursive = object.value("recursive", false);
  info.levels = object.value("levels", info.levels);
  info.residuals.steps = object.value("residual_steps", info.residuals.steps);
  info.residuals.values = object.value("residuals", info.residuals.values);
  info.error_deviation = object.value("error_deviation", std::vector<double>());
  info.kept_share = object.value("kept_share", 1.0);
  if (object.contains("training")) {
    for_each_training_field(info.training,
                            [&](const char* key, auto& field) { object.at("training").at(key).get_to(field); });
  }
  info.kept_epochs = object.value("kept_epochs", info.training.epochs);
  constexpr std::int64_t kLongest = 1 << 20;
  for (const std::int64_t size : {info.horizon, info.window, info.season}) {
    if (size < 1 || size > kLongest) fail(Code::kModel, "the description of the forecaster has a size of {}", size);
  }
  if (!(info.kept_share >= 0 && info.kept_share <= 1)) fail(Code::kModel, "the forecaster's kept_share is not 0 to 1");
  if (info.columns.empty() || info.targets.empty()) fail(Code::kModel, "the forecaster has no columns");
  for (const std::string& target : info.targets) {
    if (std::find(info.columns.begin(), info.columns.end(), target) == info.columns.end()) {
      fail(Code::kModel, "the forecaster's target '{}' is not among its columns", target);
    }
  }
  if (std::set(info.targets.begin(), info.targets.end()).size() != info.targets.size()) {
    fail(Code::kModel, "the forecaster has a target twice");
  }
  info.derived.check(info.columns, info.reading);
  try {
    static_cast<void>(info.scaler_options());
  } catch (const Error& error) {
    fail(Code::kModel, "the forecaster's scaling is not known: {}", error.what());
  }
  check_quantiles(info);
  const std::int64_t read = std::ssize(info.columns) - std::ssize(info.derived.names());
  if (!info.own_scaling() && info.scaler.column_count() != read) fail(Code::kModel, "the forecaster has no scaling");
  if (!info.error_deviation.empty() && info.error_deviation.size() != info.targets.size()) {
    fail(Code::kModel, "the forecaster has {} deviations of errors for {} targets", info.error_deviation.size(),
         info.targets.size());
  }
  return info;
}

std::vector<std::int64_t> ForecastInfo::target_positions() const {
  std::vector<std::int64_t> positions;
  for (const std::string& target : targets) {
    positions.push_back(std::find(columns.begin(), columns.end(), target) - columns.begin());
  }
  return positions;
}

ScalerOptions ForecastInfo::scaler_options() const {
  return {parse_scaling(scaling), parse_transform(transform), std::ssize(targets), season};
}

}  // namespace carousel
