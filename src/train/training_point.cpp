#include "train/training_point.h"

#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/json.h"
#include "models/json_text.h"

namespace carousel {
namespace {

using Json = nlohmann::json;

// JSON has no infinity and no NaN.
Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double number_of(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const auto text = json.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  return text == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}

Json step_json(const StepEvent& step) {
  return {{"epoch", step.epoch},
          {"epochs", step.epochs},
          {"step", step.step},
          {"steps_in_epoch", step.steps_in_epoch},
          {"loss", number(step.loss)},
          {"gradient_norm", number(step.gradient_norm)},
          {"learning_rate", number(step.learning_rate)},
          {"clipped", step.clipped}};
}

StepEvent step_of(const Json& json) {
  return {.epoch = json.at("epoch"),
          .epochs = json.at("epochs"),
          .step = json.at("step"),
          .steps_in_epoch = json.at("steps_in_epoch"),
          .loss = number_of(json.at("loss")),
          .gradient_norm = number_of(json.at("gradient_norm")),
          .learning_rate = number_of(json.at("learning_rate")),
          .clipped = json.at("clipped")};
}

Json epoch_json(const PastEpoch& past) {
  const EpochEvent& e = past.event;
  Json json{{"epoch", e.epoch},
            {"epochs", e.epochs},
            {"step", e.step},
            {"training_loss", number(e.training_loss)},
            {"seconds", number(e.seconds)},
            {"batch_seconds", number(e.batch_seconds)},
            {"largest_gradient_norm", number(e.largest_gradient_norm)},
            {"clipped_steps", e.clipped_steps},
            {"gate_saturation", Json::array()},
            {"best", e.best},
            {"last_step", step_json(past.last_step)}};
  for (const auto& [layer, share] : e.gate_saturation) json["gate_saturation"].push_back({layer, number(share)});
  if (past.validation) {
    json["validation"] = {{"loss", number(past.validation->loss)},
                          {"metric", past.validation->metric},
                          {"value", number(past.validation->value)},
                          {"higher_is_better", past.validation->higher_is_better}};
  }
  return json;
}

PastEpoch epoch_of(const Json& json) {
  PastEpoch past;
  EpochEvent& e = past.event;
  e.epoch = json.at("epoch");
  e.epochs = json.at("epochs");
  e.step = json.at("step");
  e.training_loss = number_of(json.at("training_loss"));
  e.seconds = number_of(json.at("seconds"));
  e.batch_seconds = number_of(json.at("batch_seconds"));
  e.largest_gradient_norm = number_of(json.at("largest_gradient_norm"));
  e.clipped_steps = json.at("clipped_steps");
  for (const Json& one : json.at("gate_saturation")) e.gate_saturation.emplace_back(one.at(0), number_of(one.at(1)));
  e.best = json.at("best");
  e.validation_loss = e.metric_value = std::nan("");
  if (json.contains("validation")) {
    const Json& v = json["validation"];
    past.validation = {number_of(v.at("loss")), v.at("metric"), number_of(v.at("value")), v.at("higher_is_better")};
    e.validation_loss = past.validation->loss;
    e.metric = past.validation->metric;
    e.metric_value = past.validation->value;
  }
  past.last_step = step_of(json.at("last_step"));
  return past;
}

}  // namespace

std::string to_json(const TrainingPoint& p) {
  Json json{{"epoch", p.epoch},
            {"batch", p.batch},
            {"steps", p.steps},
            {"passes", p.passes},
            {"averaged_steps", p.averaged_steps},
            {"seconds", number(p.seconds)},
            {"epoch_seconds", number(p.epoch_seconds)},
            {"batch_seconds", number(p.batch_seconds)},
            {"loss_sum", number(p.loss_sum)},
            {"largest_gradient_norm", number(p.largest_gradient_norm)},
            {"clipped_steps", p.clipped_steps},
            {"last_step", step_json(p.last_step)},
            {"epochs", Json::array()}};
  for (const PastEpoch& past : p.epochs) json["epochs"].push_back(epoch_json(past));
  return json_text(json);
}

TrainingPoint training_point(const std::string& text, const std::string& place) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;
  const Json json = parse_json_text(text, kMostBytes, place);
  try {
    TrainingPoint p;
    p.epoch = json.at("epoch");
    p.batch = json.at("batch");
    p.steps = json.at("steps");
    p.passes = json.at("passes");
    p.averaged_steps = json.at("averaged_steps");
    p.seconds = number_of(json.at("seconds"));
    p.epoch_seconds = number_of(json.at("epoch_seconds"));
    p.batch_seconds = number_of(json.at("batch_seconds"));
    p.loss_sum = number_of(json.at("loss_sum"));
    p.largest_gradient_norm = number_of(json.at("largest_gradient_norm"));
    p.clipped_steps = json.at("clipped_steps");
    p.last_step = step_of(json.at("last_step"));
    for (const Json& past : json.at("epochs")) p.epochs.push_back(epoch_of(past));
    return p;
  } catch (const Json::exception& error) {
    fail(Code::kModel, "{}: is no state of a training: {}", place, error.what());
  }
}

}  // namespace carousel
