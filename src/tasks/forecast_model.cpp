#include "tasks/forecast_model.h"

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/json.h"
#include "layers/mixture.h"
#include "layers/sequence_to_sequence.h"
#include "layers/series_embedding.h"
#include "tasks/column_scale.h"
#include "tasks/decoder_network.h"
#include "tasks/series_json.h"
#include "tasks/task_data.h"
#include "tasks/training_run.h"

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
  read_task_data(model, "forecast", [&](const json& object) {
    object.at("columns").get_to(info.columns);
    object.at("targets").get_to(info.targets);
    object.at("horizon").get_to(info.horizon);
    object.at("window").get_to(info.window);
    object.at("season").get_to(info.season);
    object.at("several").get_to(info.several);
    info.stateful = object.value("stateful", false);
    object.at("by_series").get_to(info.by_series);
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
    if (!object.contains("training")) return;
    for_each_training_field(info.training,
                            [&](const char* key, auto& field) { object.at("training").at(key).get_to(field); });
  });
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

namespace {

// What an encoder and a decoder cannot have, and what only they have.
void resolve_decoder(const ForecastInfo& info, ModelOptions& r) {
  if (r.strategy != "seq2seq") {
    if (r.attention.empty()) return;
    fail(Code::kUsage, "--attention {}: is that of the decoder of --strategy seq2seq, give both or neither",
         r.attention);
  }
  const auto refuse = [](bool given, const std::string& option, const char* why) {
    if (given) fail(Code::kUsage, "{}: --strategy seq2seq {}; leave one out", option, why);
  };
  refuse(r.cell == "none", "--cell none", "reads the window step by step");
  refuse(r.clusters > 0, "--clusters", "has one encoder and one decoder");
  refuse(r.stateful, "--stateful", "looks back at every step of a window, which starts anew");
  if (info.derived.ahead_count() > 0 && info.window < info.horizon) {
    fail(Code::kUsage,
         "--strategy seq2seq: what is known of the {} steps ahead is read beside the last {} rows, but the window has "
         "{}; choose a --window of {} or more, or a smaller --horizon",
         info.horizon, info.horizon, info.window, info.horizon);
  }
  if (r.attention.empty()) r.attention = "general";
  // The dot product needs encoder and decoder to be as wide as each other.
  if (r.attention == "dot" && r.bidirectional == "true" && r.merge == "concat") r.merge = "sum";
}

}  // namespace

ModelOptions resolve_forecast_model(const ModelOptions& options, const ForecastInfo& info, std::int64_t windows,
                                    Observer& observer) {
  ModelOptions r = options;
  if (r.cell.empty()) r.cell = "lstm";
  if (r.activation.empty()) r.activation = "tanh";
  if (r.hidden_size == 0) r.hidden_size = windows < 300 ? 16 : windows < 1500 ? 32 : 64;
  if (r.layers == 0) r.layers = 1;
  if (r.dropout < 0) r.dropout = 0.3;
  if (r.bidirectional.empty()) r.bidirectional = "false";
  resolve_decoder(info, r);
  if (r.pool.empty() && r.strategy != "seq2seq") r.pool = "last";
  if (r.fuzzifier > 0 && r.clusters == 0)
    fail(Code::kUsage, "--fuzzifier: is that of --clusters, give both or neither");
  if (r.clusters == 1) fail(Code::kUsage, "--clusters 1: choose 2 or more, or leave it out");
  std::string network = r.cell;
  if (r.strategy == "seq2seq") {
    network += " encoder and decoder " + (r.attention == "none" ? "without" : "with " + r.attention) + " attention";
  }
  observer.note(fmt::format("model: {}, {} layer{} of {}, dropout {}{}, beside a linear map of the window", network,
                            r.layers, r.layers == 1 ? "" : "s", r.hidden_size, r.dropout,
                            r.clusters > 1 ? fmt::format(", for each of {} fuzzy clusters", r.clusters) : ""));
  if (r.series_embedding > 0) {
    observer.note(
        fmt::format("series: a learnt vector of {} for each of {}", r.series_embedding, info.derived.series.size()));
  }
  observer.note(fmt::format("forecast: {} step{} ahead from the last {}, season {}", info.horizon,
                            info.horizon == 1 ? "" : "s", info.window, info.season));
  return r;
}

namespace {

ColumnScale scale_of(const ForecastInfo& info, std::size_t column) {
  const ColumnScaling& scaling = info.scaler.columns()[column];
  return {scaling.shift, scaling.factor};
}

// Derived columns come scaled, but for future ones, which have the scale of their column.
std::vector<ColumnScale> input_scales(const ForecastInfo& info) {
  std::vector<ColumnScale> scales;
  for (std::size_t c = 0; c < info.scaler.columns().size(); ++c) scales.push_back(scale_of(info, c));
  for (const std::string& name : info.derived.ahead) {
    const auto column = std::find(info.columns.begin(), info.columns.end(), name) - info.columns.begin();
    scales.push_back(scale_of(info, static_cast<std::size_t>(column)));
  }
  scales.resize(info.columns.size(), {0, 1});
  return scales;
}

// One per output of the network, [horizon, targets].
std::vector<ColumnScale> output_scales(const ForecastInfo& info) {
  std::vector<ColumnScale> scales;
  for (std::int64_t step = 0; step < info.horizon; ++step) {
    for (const std::int64_t target : info.target_positions()) {
      scales.push_back(scale_of(info, static_cast<std::size_t>(target)));
    }
  }
  return scales;
}

// What the memberships see: all but the number of the series.
std::unique_ptr<Scale> without_number(const ForecastInfo& info) {
  Tensor factor({std::ssize(info.columns)}), offset({std::ssize(info.columns)});
  std::fill_n(factor.data(), info.value_columns(), 1.0F);
  return std::make_unique<Scale>(std::move(factor), std::move(offset));
}

// The layers that read the window, the vectors of the series before them; returns the size of their outputs.
std::int64_t add_window_reader(Sequential& network, const ModelOptions& options, const ForecastInfo& info) {
  std::int64_t inputs = std::ssize(info.columns);
  if (!info.derived.series.empty()) {
    const std::int64_t series = std::ssize(info.derived.series), numbers = options.series_embedding;
    network.add("series", std::make_unique<SeriesEmbedding>(series, numbers, options.dropout));
    inputs += numbers - 1;
  }
  return add_body(network, options, inputs, info.window);
}

// An encoder of the window and a decoder of the horizon (layers/sequence_to_sequence.h).
std::unique_ptr<SequenceToSequence> sequence_network(const ModelOptions& options, const ForecastInfo& info,
                                                     std::int64_t width) {
  const std::int64_t ahead = info.derived.ahead_count();
  Sequential encoder, decoder;
  const std::int64_t memory_size = add_window_reader(encoder, options, info);
  add_decoder(decoder, options, ahead + 1, memory_size);
  decoder.add("output", std::make_unique<Linear>(options.hidden_size, width * std::ssize(info.targets)));
  return std::make_unique<SequenceToSequence>(
      join_decoder(std::move(encoder), memory_size, "last", std::move(decoder)),
      SequenceToSequenceOptions{.steps = info.horizon,
                                .first_known = std::ssize(info.columns) - std::ssize(info.derived.names()),
                                .known_count = ahead,
                                .blocks = width});
}

// `width` numbers for each value of the horizon.
Sequential recurrent_network(const ModelOptions& options, const ForecastInfo& info, std::int64_t width) {
  Sequential network;
  if (options.strategy == "seq2seq") {
    network.add("seq2seq", sequence_network(options, info, width));
    const Shape shape{width * info.horizon * std::ssize(info.targets)};
    Tensor ones(shape);
    ones.fill(1);
    if (width > 1) network.add("start", std::make_unique<Scale>(std::move(ones), Tensor(shape)));  // calibrate_start()
  } else {
    const std::int64_t size = add_window_reader(network, options, info);
    if (options.dropout > 0) network.add("dropout", std::make_unique<Dropout>(options.dropout));
    network.add("output", std::make_unique<Linear>(size, width * info.horizon * std::ssize(info.targets)));
  }
  return network;
}

}  // namespace

Sequential build_forecaster(const ModelOptions& options, const ForecastInfo& info, const LinearStart& start,
                            const WindowClusters& clusters, std::uint64_t seed) {
  const std::int64_t C = std::ssize(info.columns), outputs = info.horizon * std::ssize(info.targets);
  Sequential recurrent, linear;
  if (clusters.centers.elements() == 0) {
    recurrent = recurrent_network(options, info, start.width);
  } else {
    Sequential gate;
    if (!info.derived.series.empty()) gate.add("columns", without_number(info));
    gate.add("memberships", std::make_unique<Memberships>(clusters.centers, clusters.fuzzifier));
    std::vector<Sequential> networks;
    for (std::int64_t k = 0; k < clusters.centers.shape()[0]; ++k) {
      networks.push_back(recurrent_network(options, info, start.width));
    }
    recurrent.add("clusters", std::make_unique<Mixture>(std::move(gate), std::move(networks)));
  }

  linear.add("flatten", std::make_unique<Flatten>(info.window));
  linear.add("linear", std::make_unique<Linear>(info.window * C, outputs));

  std::vector<Sequential> branches;
  branches.push_back(std::move(recurrent));
  branches.push_back(std::move(linear));
  Sequential network;
  if (info.scales_inside()) network.add("scale", scale_layer(input_scales(info)));
  network.add("forecast", std::make_unique<Sum>(std::move(branches)));
  if (info.scales_inside() && info.distribution == "point") {
    network.add("unscale", unscale_layer(output_scales(info)));
  }
  reset_weights(network, start, seed);
  return network;
}

std::vector<Sequential*> recurrent_networks(Sequential& network) {
  Sequential& recurrent = dynamic_cast<Sum&>(forecast_core(network)).branches().front();
  auto* mixture = dynamic_cast<Mixture*>(recurrent.modules().back().second.get());
  if (!mixture) return {&recurrent};
  std::vector<Sequential*> networks;
  for (std::size_t k = 1; k < mixture->branches().size(); ++k) networks.push_back(&mixture->branches()[k]);  // 0: gate
  return networks;
}

namespace {

// The last layer of one of recurrent_networks(), or of its decoder.
Linear& output_layer(Sequential& network) {
  auto* both = dynamic_cast<SequenceToSequence*>(network.modules().front().second.get());
  return dynamic_cast<Linear&>(*(both ? both->decoder() : network).modules().back().second);
}

}  // namespace

void reset_weights(Sequential& network, const LinearStart& start, std::uint64_t seed) {
  for (Sequential* one : recurrent_networks(network)) {
    one->initialize(seed++);
    for (Parameter* parameter : output_layer(*one).parameters()) parameter->value.fill(0);
  }
  Sequential& linear = dynamic_cast<Sum&>(forecast_core(network)).branches().back();
  auto& map = dynamic_cast<Linear&>(*linear.modules().back().second);
  map.weight.value = start.weight;
  map.bias.value = start.bias;
}

void unscale_inputs(const ForecastInfo& info, Tensor& inputs) {
  if (!info.scales_inside()) return;
  const std::vector<ColumnScale> scales = input_scales(info);
  for (std::int64_t i = 0; i < inputs.elements(); ++i) {
    const ColumnScale& scale = scales[static_cast<std::size_t>(i) % scales.size()];
    inputs[i] = static_cast<float>(inputs[i] * scale.deviation + scale.mean);
  }
}

Sequential& window_reader(Sequential& recurrent_branch) {
  auto* both = dynamic_cast<SequenceToSequence*>(recurrent_branch.modules().front().second.get());
  return both ? both->encoder() : recurrent_branch;
}

Module& forecast_core(Sequential& network) {
  for (const auto& [name, module] : network.modules()) {
    if (name == "forecast") return *module;
  }
  fail(Code::kModel, "the network has no layer 'forecast'");
}

std::vector<Linear*> output_layers(Sequential& network) {
  std::vector<Linear*> layers;
  for (Sequential* one : recurrent_networks(network)) {
    layers.push_back(&output_layer(*one));
  }
  return layers;
}

}  // namespace carousel
