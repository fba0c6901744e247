#include "tasks/impute/impute_model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "base/fail.h"
#include "base/json.h"
#include "data/series/series_fill.h"
#include "layers/module.h"
#include "tasks/task_data.h"
#include "tasks/training_run.h"

namespace carousel {

using nlohmann::json;

namespace {

void check(const ImputeInfo& info) {
  const ForecastInfo& series = info.series;
  const std::vector<std::string>& known = series.derived.known;
  for (std::size_t k = 0; k < series.targets.size(); ++k) {
    if (series.columns[k] == series.targets[k] && std::ranges::count(known, series.targets[k]) > 0) continue;
    fail(Code::kModel, "the description of the imputation has no column that says where '{}' is known",
         series.targets[k]);
  }
  const std::int64_t errors = kDistances * info.targets() * std::ssize(series.levels);
  const bool gaps = std::all_of(info.gaps.begin(), info.gaps.end(), [](const Gap& gap) { return gap.length > 0; });
  const bool linear = series.distribution == "point" && series.horizon == 1 && series.reading.future.empty();
  if (!gaps || !linear || !(info.hidden > 0 && info.hidden < 1) ||
      (!info.errors.empty() && std::ssize(info.errors) != errors)) {
    fail(Code::kModel, "the description of the imputation contradicts itself");
  }
}

}  // namespace

std::string ImputeInfo::to_json() const {
  json lengths = json::array(), all_targets = json::array();
  for (const Gap& gap : gaps) {
    lengths.push_back(gap.length);
    all_targets.push_back(gap.all_targets);
  }
  return json_text(json{{"series", parse_json(series.to_json())},
                        {"gap_lengths", lengths},
                        {"gap_of_all_targets", all_targets},
                        {"hidden", hidden},
                        {"errors", errors}});
}

ImputeInfo ImputeInfo::from_model(const Model& model) {
  ImputeInfo info;
  read_task_data(model, "impute", [&](const json& object) {
    info.series = ForecastInfo::from_json(object.at("series"));
    const auto lengths = object.at("gap_lengths").get<std::vector<std::int64_t>>();
    const auto all_targets = object.at("gap_of_all_targets").get<std::vector<bool>>();
    for (std::size_t k = 0; k < std::min(lengths.size(), all_targets.size()); ++k) {
      info.gaps.push_back({lengths[k], all_targets[k]});
    }
    object.at("hidden").get_to(info.hidden);
    object.at("errors").get_to(info.errors);
  });
  info.series.reading.to_fill = true;
  check(info);
  return info;
}

ModelOptions resolve_impute_model(const ModelOptions& options, const ForecastInfo& info, std::int64_t rows,
                                  Observer& observer) {
  ModelOptions r = options;
  if (r.cell.empty()) r.cell = "lstm";
  if (r.cell == "none") fail(Code::kUsage, "--cell none: impute reads the rows around a gap, which takes a cell");
  if (r.activation.empty()) r.activation = "tanh";
  if (r.hidden_size == 0) r.hidden_size = rows < 1500 ? 16 : rows < 5000 ? 32 : 64;
  if (r.layers == 0) r.layers = 1;
  if (r.dropout < 0) r.dropout = 0;
  if (r.bidirectional.empty()) r.bidirectional = "true";
  observer.note(fmt::format("model: {}{}, {} layer{} of {}, dropout {}, added to linear interpolation",
                            r.bidirectional == "true" ? "bidirectional " : "", r.cell, r.layers,
                            r.layers == 1 ? "" : "s", r.hidden_size, r.dropout));
  observer.note(fmt::format("window: {} rows, season {}", info.window, info.season));
  return r;
}

Sequential build_imputer(const ModelOptions& options, const ForecastInfo& info, std::uint64_t seed) {
  Sequential network;
  const std::int64_t size = add_body(network, options, std::ssize(info.columns), info.window);
  if (options.dropout > 0) network.add("dropout", std::make_unique<Dropout>(options.dropout));
  network.add("output", std::make_unique<Linear>(size, std::ssize(info.targets)));
  network.initialize(seed);
  for (Parameter* parameter : network.modules().back().second->parameters()) parameter->value.fill(0);
  return network;
}

Series network_rows(const Series& series, const Scaler& scaler, const ForecastInfo& info) {
  return interpolate(network_series(series, scaler, info.derived, info.horizon));
}

namespace {

// What the network gives for windows of one length: [windows, time_steps, targets].
Tensor run_windows(Sequential& network, std::span<const Series> rows, std::span<const WindowAt> windows,
                   std::int64_t time_steps, std::int64_t targets) {
  constexpr std::int64_t kBatch = 256, kBatchRows = 1 << 15;
  const std::int64_t most = std::clamp<std::int64_t>(kBatchRows / time_steps, 1, kBatch);
  Tensor all({std::ssize(windows), time_steps, targets}), inputs;
  Tape<float> tape;
  tape.set_recording(false);
  SequenceLayout layout;
  for (std::int64_t first = 0; first < std::ssize(windows); first += most) {
    const std::int64_t count = std::min(most, std::ssize(windows) - first);
    gather_inputs(rows, windows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), time_steps,
                  inputs);
    tape.reset();
    detail::PassInput input;
    input.values = &inputs;
    const Variable y = detail::run_pass(network, tape, layout, input, false, {});
    for (std::int64_t row = 0; row < time_steps * count; ++row) {
      const std::int64_t n = first + row % count, t = row / count;
      std::copy_n(y.value().data + row * targets, targets, all.data() + (n * time_steps + t) * targets);
    }
  }
  return all;
}

// The first row of the window that answers a row.
std::int64_t window_begin(std::int64_t row, std::int64_t window, std::int64_t rows) {
  const std::int64_t half = std::max<std::int64_t>(window / 2, 1);
  const std::int64_t nearest = (std::max<std::int64_t>(row - window / 2, 0) + half / 2) / half * half;
  return std::min(nearest, rows - window);
}

}  // namespace

std::int64_t distance_of(const Series& series, const ValueAt& place) {
  constexpr std::int64_t kFarthest = 1 << (kDistances - 1);
  std::int64_t distance = 1;
  for (; distance < kFarthest; ++distance) {
    const std::int64_t before = place.row - distance, behind = place.row + distance;
    if (before >= 0 && !std::isnan(series.at(before, place.target))) break;
    if (behind < series.time_steps() && !std::isnan(series.at(behind, place.target))) break;
  }
  return std::bit_width(static_cast<std::uint64_t>(distance)) - 1;
}

std::vector<double> answer(Sequential& network, const ForecastInfo& info, std::span<const Series> rows,
                           std::span<const ValueAt> places) {
  struct Asked {
    std::int64_t length = 0, window = 0, step = 0;
  };
  std::vector<Asked> asked;
  std::map<std::int64_t, std::vector<WindowAt>> windows;  // by their length
  for (const ValueAt& place : places) {
    const std::int64_t all = rows[static_cast<std::size_t>(place.series)].time_steps();
    const std::int64_t length = std::min(info.window, all), begin = window_begin(place.row, length, all);
    std::vector<WindowAt>& list = windows[length];
    if (list.empty() || list.back().series != place.series || list.back().origin != begin + length) {
      list.push_back({place.series, begin + length});
    }
    asked.push_back({length, std::ssize(list) - 1, place.row - begin});
  }
  const std::int64_t K = std::ssize(info.targets);
  std::map<std::int64_t, Tensor> outputs;
  for (const auto& [length, list] : windows) outputs.emplace(length, run_windows(network, rows, list, length, K));
  std::vector<double> answers;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto& [length, window, step] = asked[i];
    const Series& series = rows[static_cast<std::size_t>(places[i].series)];
    const float correction = outputs.at(length)[(window * length + step) * K + places[i].target];
    answers.push_back(series.at(places[i].row, places[i].target) + correction);
  }
  return answers;
}

Forecasts fill_values(Sequential& network, const ImputeInfo& info, std::span<const Series> series,
                      std::span<const Scaler> scalers, std::span<const ValueAt> places) {
  std::vector<Series> rows;
  for (std::size_t k = 0; k < series.size(); ++k) rows.push_back(network_rows(series[k], scalers[k], info.series));
  const std::vector<double> answers = answer(network, info.series, rows, places);
  const std::int64_t N = std::ssize(places), Q = std::ssize(info.series.levels);
  Forecasts filled{BasicTensor<double>({N, 1}), {}, {}, false};
  if (!info.errors.empty()) {
    filled.levels = info.series.levels;
    filled.quantiles = BasicTensor<double>({N, 1, Q});
  }
  for (std::int64_t n = 0; n < N; ++n) {
    const ValueAt& place = places[static_cast<std::size_t>(n)];
    const auto k = static_cast<std::size_t>(place.series);
    const double value = answers[static_cast<std::size_t>(n)];
    filled.point[n] = scalers[k].inverse(value, place.target);
    if (info.errors.empty()) continue;
    const double* errors = info.errors.data() + (distance_of(series[k], place) * info.targets() + place.target) * Q;
    for (std::int64_t q = 0; q < Q; ++q) {
      filled.quantiles[n * Q + q] = scalers[k].inverse(value + errors[q], place.target);
    }
  }
  return filled;
}

}  // namespace carousel
