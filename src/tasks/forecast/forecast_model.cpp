#include "tasks/forecast/forecast_model.h"

#include <algorithm>

#include "base/fail.h"
#include "layers/attention/sequence_to_sequence.h"
#include "layers/mixture.h"
#include "layers/tokens/series_embedding.h"
#include "tasks/column_scale.h"
#include "tasks/decoder_network.h"
#include "tasks/training_run.h"

namespace carousel {

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

// An encoder of the window and a decoder of the horizon (layers/attention/sequence_to_sequence.h).
std::unique_ptr<SequenceToSequence> sequence_network(const ModelOptions& options, const ForecastInfo& info,
                                                     std::int64_t width) {
  const std::int64_t ahead = info.derived.ahead_count();
  Sequential encoder, decoder;
  const std::int64_t memory_size = add_window_reader(encoder, options, info);
  add_decoder(decoder, options, ahead + 1, memory_size, false);
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
