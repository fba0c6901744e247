#include "tasks/forecast/forecast_state.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/crc32.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "models/json_text.h"
#include "models/safetensors.h"
#include "tasks/forecast/forecast_stateful.h"
#include "tasks/forecast/series_json.h"

namespace carousel {
namespace {

using nlohmann::json;

constexpr std::int64_t kStateFormat = 1;
constexpr std::string_view kStateKey = "carousel_state";

std::string crc_digits(std::string_view bytes) {
  return fmt::format("{:08x}", crc32(std::as_bytes(std::span(bytes.data(), bytes.size()))));
}

std::string model_checksum(const Model& model, const Options& options) {
  std::string all = model.task_data() + " " + options.model.dtype;
  for (const auto& [name, tensor] : model.network().named_tensors()) {
    all += fmt::format(" {} {:08x}", name, crc32(std::as_bytes(std::as_const(tensor->value).span())));
  }
  return crc_digits(all);
}

// Of the description without its checksum and of the tensors, those with the widest elements first, as they lie in the
// file.
std::string state_checksum(const json& description, const std::vector<TensorEntry>& entries) {
  std::string all = json_text(description);
  for (const Dtype dtype : {Dtype::kF64, Dtype::kF32}) {
    for (const TensorEntry& entry : entries) {
      if (entry.dtype != dtype) continue;
      all += fmt::format(" {} {:08x}", entry.name, crc32(entry.bytes));
    }
  }
  return crc_digits(all);
}

// Rows of each series that a forecast needs: those that the linear branch sees, and of a stateful forecaster one that
// it has read and one that it has not.
std::int64_t rows_needed(const ForecastInfo& info) { return std::max<std::int64_t>(info.window, 2); }

json parse_state(const SafetensorsFile& file, const std::string& path) {
  const auto found = file.metadata().find(std::string(kStateKey));
  if (found == file.metadata().end()) {
    fail(Code::kModel, "{}: no state of a forecaster: metadata key '{}' is missing", path, kStateKey);
  }
  constexpr std::int64_t kRoom = std::int64_t{8} << 20;
  json description =
      parse_json_text(found->second, 16 * std::ssize(found->second) + kRoom, path + ": " + std::string(kStateKey));
  if (!description.is_object() || description.value("format", json()) != kStateFormat) {
    fail(Code::kModel, "{}: {}: format {} was expected; use a newer program", path, kStateKey, kStateFormat);
  }
  const json checksum = description.value("checksum", json());
  description.erase("checksum");
  const std::string got = state_checksum(description, file.tensors());
  if (checksum != got) {
    fail(Code::kModel, "{}: is damaged: checksum {} expected, got {}; make the state anew from all rows", path,
         printable(checksum.dump()), got);
  }
  return description;
}

class StateReader {
 public:
  explicit StateReader(const std::string& path)
      : path_(path), file_(SafetensorsFile::read(path)), description_(parse_state(file_, path)) {
    for (const TensorEntry& entry : file_.tensors()) entries_[entry.name] = &entry;
  }

  const json& description() const { return description_; }
  std::size_t tensor_count() const { return entries_.size(); }

  // Series number k = data.series.size(): its rows, id, times and scaling.
  void read_series(const json& object, const ForecastInfo& info, ForecastData& data) const {
    Series series;
    object.at("id").get_to(series.id);
    object.at("statics").get_to(series.statics);
    series.columns.assign(info.columns.begin(), info.columns.end() - std::ssize(info.derived.names()));
    const std::string name = fmt::format("{}.rows", data.series.size());
    const TensorEntry& entry = find(name, Dtype::kF64);
    const std::int64_t C = series.column_count();
    if (entry.shape.rank() != 2 || entry.shape[0] < rows_needed(info) || entry.shape[1] != C) {
      fail(Code::kModel, "{}: tensor '{}' is of shape {}, expected at least {} rows of {}", path_, name,
           entry.shape.to_string(), rows_needed(info), C);
    }
    const auto rows = tensor_of<double>(entry);
    series.values.assign(rows.data(), rows.data() + rows.elements());
    series.times = read_times(object);
    Scaler scaler = scaler_from_json(object.at("scaler"));
    if ((!series.times.empty() && series.times.size() != entry.shape[0]) || scaler.column_count() != C ||
        series.statics.size() != info.derived.statics.size()) {
      fail(Code::kModel, "{}: series '{}': times, static columns or scaling do not fit its {} rows of {}", path_,
           printable(series.id), entry.shape[0], C);
    }
    data.series.push_back(std::move(series));
    data.scalers.push_back(std::move(scaler));
  }

  // What is remembered of the series that was read last, in the form of the network's own states.
  CarriedState read_carried(const State& form, const ForecastData& data) const {
    CarriedState carried{{}, data.series.back().time_steps() - 1};
    for (std::size_t j = 0; j < form.values.size(); ++j) {
      const std::string name = fmt::format("{}.state.{}", data.series.size() - 1, j);
      const TensorEntry& entry = find(name, Dtype::kF32);
      if (!(entry.shape == form.values[j].shape())) {
        fail(Code::kModel, "{}: tensor '{}' is of shape {}, expected {}", path_, name, entry.shape.to_string(),
             form.values[j].shape().to_string());
      }
      carried.state.values.push_back(tensor_of<float>(entry));
    }
    return carried;
  }

 private:
  const TensorEntry& find(const std::string& name, Dtype dtype) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) fail(Code::kModel, "{}: tensor '{}' is missing", path_, name);
    if (found->second->dtype != dtype) {
      fail(Code::kModel, "{}: tensor '{}' is {}, expected {}", path_, name, dtype_name(found->second->dtype),
           dtype_name(dtype));
    }
    return *found->second;
  }

  TimeAxis read_times(const json& object) const {
    std::vector<std::string> texts = object.at("times").get<std::vector<std::string>>();
    const json& stored = object.at("step");
    if (texts.empty()) return {};
    if (stored.is_null()) return TimeAxis::labels(std::move(texts));
    TimeStep step{static_cast<TimeStep::Unit>(stored.at("unit").get<int>()), stored.at("count").get<std::int64_t>(),
                  stored.at("day").get<std::int64_t>(), stored.at("seconds").get<std::int64_t>()};
    constexpr std::int64_t kLongestStep = std::int64_t{1} << 40;
    if (step.unit < TimeStep::Unit::kInteger || step.unit > TimeStep::Unit::kMonth || step.count < 1 ||
        step.count > kLongestStep || step.day < 1 || step.day > 31 || step.seconds < 0 || step.seconds >= kDaySeconds) {
      fail(Code::kModel, "{}: the step of the times is {}, which no series has", path_, printable(stored.dump()));
    }
    TimeReader reader;
    std::vector<std::int64_t> places;
    for (const std::string& text : texts) {
      std::string problem;
      const auto span = reader.read(text, problem);
      if (!span || !reader.understood()) fail(Code::kModel, "{}: '{}' is no time", path_, printable(text));
      places.push_back(step.place(span->begin));
    }
    return TimeAxis::irregular(step, reader.writing(), std::move(places));
  }

  std::string path_;
  SafetensorsFile file_;
  json description_;
  std::map<std::string_view, const TensorEntry*> entries_;
};

// The first row of series k that has to be kept: what stands for a missing value lies before the rows needed, and a
// difference needs the row that it is taken from.
std::int64_t first_kept(const ForecastData& data, std::size_t k, const ForecastInfo& info) {
  const Series& scaled = data.scaled[k];
  const std::int64_t needed = scaled.known_steps() - rows_needed(info);
  if (needed < 0) {
    fail(Code::kData, "series '{}' has {} rows, its state needs the last {}", scaled.id, scaled.known_steps(),
         rows_needed(info));
  }
  std::int64_t first = needed;
  for (std::int64_t c = 0; c < scaled.column_count(); ++c) {
    std::int64_t row = needed;
    while (row >= 0 && std::isnan(scaled.at(row, c))) --row;
    if (row < 0) row = needed;  // never known: 0 stands for it
    const std::vector<ColumnScaling>& scaling = data.scalers[k].columns();
    const auto column = static_cast<std::size_t>(c);
    first = std::min(first, row - (column < scaling.size() ? scaling[column].lag : 0));
  }
  return std::max<std::int64_t>(first, 0);
}

json step_to_json(const TimeAxis& times) {
  if (!times.understood()) return nullptr;
  const TimeStep& step = times.step();
  return {{"unit", static_cast<int>(step.unit)}, {"count", step.count}, {"day", step.day}, {"seconds", step.seconds}};
}

// What the network remembers after one row of zeros: its form is that of every state.
State state_form(Sequential& network, const ForecastInfo& info) {
  Series zeros;
  zeros.columns = info.columns;
  zeros.values.assign(2 * info.columns.size(), 0.0);
  return carry_states(network, std::span(&zeros, 1), {}).front().state;
}

}  // namespace

void carry_to_the_end(const Model& model, ForecastData& data, const ForecastInfo& info) {
  if (info.stateful) data.carried = carry_states(model.network(), data.scaled, std::move(data.carried));
}

void write_forecast_state(const Model& model, const Options& options, const ForecastData& data,
                          const ForecastInfo& info) {
  json description{{"format", kStateFormat}, {"model", model_checksum(model, options)}, {"series", json::array()}};
  std::vector<TensorEntry> entries;
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    const Series& series = data.series[k];
    const std::int64_t first = first_kept(data, k, info), T = series.known_steps() - first, C = series.column_count();
    std::vector<std::string> times;
    for (std::int64_t t = 0; !series.times.empty() && t < T; ++t) times.push_back(series.times.text(first + t));
    description["series"].push_back({{"id", series.id},
                                     {"statics", series.statics},
                                     {"times", times},
                                     {"step", step_to_json(series.times)},
                                     {"scaler", scaler_to_json(data.scalers[k])}});
    const auto rows =
        std::span(series.values).subspan(static_cast<std::size_t>(first * C), static_cast<std::size_t>(T * C));
    entries.push_back({fmt::format("{}.rows", k), Dtype::kF64, Shape{T, C}, std::as_bytes(rows)});
    if (!info.stateful) continue;
    const std::vector<Tensor>& states = data.carried[k].state.values;
    for (std::size_t j = 0; j < states.size(); ++j) {
      entries.push_back(entry_of(fmt::format("{}.state.{}", k, j), states[j].view()));
    }
  }
  const std::string& path = options.output.state;
  try {
    description["checksum"] = state_checksum(description, entries);
    write_file_atomically(path, write_safetensors(entries, {{std::string(kStateKey), json_text(description)}}));
  } catch (const json::exception& error) {
    fail(Code::kData, "{}: the state cannot be written: {}", path, error.what());
  }
}

ForecastData read_forecast_state(const Model& model, const Options& options, const ForecastInfo& info) {
  const std::string& path = options.output.state;
  const StateReader reader(path);
  if (reader.description().value("model", json()) != model_checksum(model, options)) {
    fail(Code::kModel, "{}: the state is that of another model, or of another --dtype; make it anew from all rows",
         path);
  }
  State form;
  if (info.stateful) form = state_form(model.network(), info);
  ForecastData data;
  try {
    for (const json& object : reader.description().at("series")) {
      reader.read_series(object, info, data);
      data.carried.push_back(reader.read_carried(form, data));
    }
  } catch (const json::exception& error) {
    fail(Code::kModel, "{}: {}: {}", path, kStateKey, error.what());
  }
  const std::size_t each = 1 + form.values.size();
  if (data.series.empty() || reader.tensor_count() != data.series.size() * each) {
    fail(Code::kModel, "{}: has {} tensors for {} series, expected {} for each", path, reader.tensor_count(),
         data.series.size(), each);
  }
  return data;
}

}  // namespace carousel
