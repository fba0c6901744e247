#include "train/training_point.h"

#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "base/fail.h"
#include "base/json.h"
#include "models/json_text.h"

namespace carousel {
namespace {

using Json = nlohmann::json;

template <class T, class Record>
concept Either = std::same_as<std::remove_const_t<T>, Record>;  // to read it or to write it

// The fields of each record, for both ways: field(name, value) puts the value into JSON or takes it out.
void visit_fields(Either<StepEvent> auto& step, auto field) {
  field("epoch", step.epoch);
  field("epochs", step.epochs);
  field("step", step.step);
  field("steps_in_epoch", step.steps_in_epoch);
  field("loss", step.loss);
  field("gradient_norm", step.gradient_norm);
  field("learning_rate", step.learning_rate);
  field("clipped", step.clipped);
}

void visit_fields(Either<EpochEvent> auto& epoch, auto field) {
  field("epoch", epoch.epoch);
  field("epochs", epoch.epochs);
  field("step", epoch.step);
  field("training_loss", epoch.training_loss);
  field("validation_loss", epoch.validation_loss);
  field("seconds", epoch.seconds);
  field("batch_seconds", epoch.batch_seconds);
  field("metric", epoch.metric);
  field("metric_value", epoch.metric_value);
  field("largest_gradient_norm", epoch.largest_gradient_norm);
  field("clipped_steps", epoch.clipped_steps);
  field("gate_saturation", epoch.gate_saturation);
  field("best", epoch.best);
}

void visit_fields(Either<Validation> auto& validation, auto field) {
  field("loss", validation.loss);
  field("metric", validation.metric);
  field("value", validation.value);
  field("higher_is_better", validation.higher_is_better);
}

void visit_fields(Either<PastEpoch> auto& past, auto field) {
  field("event", past.event);
  field("last_step", past.last_step);
  field("validation", past.validation);
}

void visit_fields(Either<TrainingPoint> auto& point, auto field) {
  field("epoch", point.epoch);
  field("batch", point.batch);
  field("steps", point.steps);
  field("passes", point.passes);
  field("averaged_steps", point.averaged_steps);
  field("seconds", point.seconds);
  field("epoch_seconds", point.epoch_seconds);
  field("batch_seconds", point.batch_seconds);
  field("loss_sum", point.loss_sum);
  field("largest_gradient_norm", point.largest_gradient_norm);
  field("clipped_steps", point.clipped_steps);
  field("last_step", point.last_step);
  field("epochs", point.epochs);
}

// JSON has no infinity and no NaN: these are strings.
Json json_of(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
Json json_of(bool value) { return value; }
Json json_of(std::int64_t value) { return value; }
Json json_of(std::uint64_t value) { return value; }
Json json_of(const std::string& value) { return value; }
Json json_of(const std::pair<std::string, double>& value) { return Json::array({value.first, json_of(value.second)}); }

template <class Record>
Json json_of(const Record& record);
template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? json_of(*value) : Json();
}
template <class T>
Json json_of(const std::vector<T>& values) {
  Json json = Json::array();
  for (const T& value : values) json.push_back(json_of(value));
  return json;
}
template <class Record>
Json json_of(const Record& record) {
  Json json = Json::object();
  visit_fields(record, [&](const char* name, const auto& value) { json[name] = json_of(value); });
  return json;
}

void read(const Json& json, double& value) {
  if (json == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (json == "inf" || json == "-inf") {
    value = json == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  } else {
    json.get_to(value);
  }
}
void read(const Json& json, bool& value) { json.get_to(value); }
void read(const Json& json, std::int64_t& value) { json.get_to(value); }
void read(const Json& json, std::uint64_t& value) { json.get_to(value); }
void read(const Json& json, std::string& value) { json.get_to(value); }
void read(const Json& json, std::pair<std::string, double>& value) {
  read(json.at(0), value.first);
  read(json.at(1), value.second);
}

template <class Record>
void read(const Json& json, Record& record);
template <class T>
void read(const Json& json, std::optional<T>& value) {
  value.reset();
  if (!json.is_null()) read(json, value.emplace());
}
template <class T>
void read(const Json& json, std::vector<T>& values) {
  values.clear();
  for (const Json& one : json) read(one, values.emplace_back());
}
template <class Record>
void read(const Json& json, Record& record) {
  visit_fields(record, [&](const char* name, auto& value) { read(json.at(name), value); });
}

}  // namespace

std::string to_json(const TrainingPoint& point) { return json_text(json_of(point)); }

TrainingPoint training_point(const std::string& text, const std::string& place) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;
  const Json json = parse_json_text(text, kMostBytes, place);
  try {
    TrainingPoint point;
    read(json, point);
    return point;
  } catch (const Json::exception& error) {
    fail(Code::kModel, "{}: is no state of a training: {}", place, error.what());
  }
}

}  // namespace carousel
