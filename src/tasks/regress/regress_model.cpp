#include "tasks/regress/regress_model.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/json.h"
#include "tasks/task_data.h"
#include "tasks/training_run.h"

namespace carousel {

using nlohmann::json;

namespace {

json to_json(const std::vector<ColumnScale>& scales) {
  json list = json::array();
  for (const ColumnScale& scale : scales) list.push_back({scale.mean, scale.deviation});
  return list;
}

std::vector<ColumnScale> scales_from_json(const json& list) {
  std::vector<ColumnScale> scales;
  for (const json& entry : list) {
    scales.push_back({entry.at(0).get<double>(), entry.at(1).get<double>()});
    if (!std::isfinite(scales.back().mean) || !(scales.back().deviation > 0)) {
      fail(Code::kModel, "the description of the regression has a scale that is not usable");
    }
  }
  return scales;
}

std::vector<double> means(const std::vector<ColumnScale>& scales) {
  std::vector<double> list;
  for (const ColumnScale& scale : scales) list.push_back(scale.mean);
  return list;
}

bool one_step_each(const RegressData& data) {
  return std::all_of(data.samples.sequences.begin(), data.samples.sequences.end(),
                     [](const Sequence& sequence) { return sequence.values.shape()[0] == 1; });
}

}  // namespace

std::string RegressInfo::to_json() const {
  return json_text(json{{"feature_columns", columns.features},
                        {"target_columns", columns.targets},
                        {"features", features},
                        {"inputs", carousel::to_json(inputs)},
                        {"targets", carousel::to_json(targets)},
                        {"per_step", columns.per_step},
                        {"binary", binary},
                        {"split", split}});
}

RegressInfo RegressInfo::from_model(const Model& model) {
  RegressInfo info;
  read_task_data(model, "regress", [&](const json& object) {
    object.at("feature_columns").get_to(info.columns.features);
    object.at("target_columns").get_to(info.columns.targets);
    object.at("features").get_to(info.features);
    info.inputs = scales_from_json(object.at("inputs"));
    info.targets = scales_from_json(object.at("targets"));
    info.columns.per_step = object.value("per_step", false);  // models of before had neither
    info.binary = object.value("binary", false);
    object.at("split").get_to(info.split);
  });
  const bool table = !info.columns.features.empty();
  const bool frequencies = std::all_of(info.targets.begin(), info.targets.end(),
                                       [](const ColumnScale& target) { return target.mean > 0 && target.mean < 1; });
  if (info.features < 1 || std::ssize(info.inputs) != info.features || info.columns.targets.empty() ||
      info.targets.size() != info.columns.targets.size() ||
      (table && std::ssize(info.columns.features) != info.features) || (table && info.columns.per_step) ||
      (info.binary && !frequencies)) {
    fail(Code::kModel, "the description of the regression contradicts itself");
  }
  return info;
}

std::vector<double> RegressInfo::input_means() const { return means(inputs); }
std::vector<double> RegressInfo::target_means() const { return means(targets); }

void RegressInfo::scale_targets(std::span<const double> values, Tensor& scaled) const {
  const std::int64_t K = std::ssize(targets);
  const Shape shape{std::ssize(values) / K, K};
  if (!(scaled.shape() == shape)) scaled = Tensor(shape);
  for (std::int64_t j = 0; j < scaled.elements(); ++j) {
    const ColumnScale& scale = targets[static_cast<std::size_t>(j % K)];
    const double value = values[static_cast<std::size_t>(j)];
    scaled[j] = static_cast<float>(binary ? value : (value - scale.mean) / scale.deviation);
  }
}

RegressInfo fit_regress_info(const RegressData& data, const std::vector<std::int64_t>& training, bool binary) {
  const std::vector<double> targets = targets_of(data, training);
  const auto K = static_cast<std::size_t>(data.target_count());
  const auto rows = static_cast<double>(targets.size() / K);
  RegressInfo info;
  info.columns = data.columns;
  info.features = data.samples.features;
  info.inputs = fit_feature_scales(data.samples, training);
  info.binary = binary;
  for (std::size_t k = 0; k < K; ++k) {
    ScaleSum sum;
    for (std::size_t j = k; j < targets.size(); j += K) sum.add(targets[j]);
    info.targets.push_back(sum.scale());
    if (binary) info.targets.back() = {(info.targets.back().mean * rows + 0.5) / (rows + 1), 1};
  }
  return info;
}

ModelOptions resolve_regress_model(const ModelOptions& options, const RegressData& data, Observer& observer) {
  ModelOptions r = options;
  if (r.cell.empty() && one_step_each(data)) {
    observer.note("model: every sample is one row, so the network is feed-forward; --cell lstm makes it recurrent");
  }
  if (r.cell.empty()) r.cell = one_step_each(data) ? "none" : "lstm";
  const bool feed_forward = r.cell == "none", per_step = data.columns.per_step;
  if (per_step && feed_forward) {
    fail(Code::kUsage, "--cell none: the targets stand at every step, which takes a recurrent cell");
  }
  if (per_step && !r.pool.empty()) {
    fail(Code::kUsage, "--pool {}: the targets stand at every step, so that there is nothing to pool", r.pool);
  }
  if (r.activation.empty()) r.activation = feed_forward ? "relu" : "tanh";
  if (r.hidden_size == 0) r.hidden_size = 64;
  if (r.layers == 0) r.layers = feed_forward ? 2 : 1;
  // At every step: from what was before it alone.
  if (r.bidirectional.empty()) r.bidirectional = one_step_each(data) || per_step ? "false" : "true";
  if (r.pool.empty() && !per_step) r.pool = one_step_each(data) ? "last" : "mean";
  if (r.dropout < 0) r.dropout = 0.1;
  const std::string shape =
      feed_forward ? fmt::format("feed-forward, {} layers of {}, {}", r.layers, r.hidden_size, r.activation)
                   : fmt::format("{}{}, {} layer{} of {}, {}", r.bidirectional == "true" ? "bidirectional " : "",
                                 r.cell, r.layers, r.layers == 1 ? "" : "s", r.hidden_size,
                                 per_step ? "targets at every step" : "pool " + r.pool);
  observer.note(fmt::format("model: {}, dropout {}", shape, r.dropout));
  return r;
}

Sequential build_regression(const ModelOptions& options, const RegressData& data, const RegressInfo& info) {
  Sequential network;
  network.add("scale", scale_layer(info.inputs));
  const std::int64_t time_steps = options.cell == "none" ? data.samples.common_length() : 1;
  const std::int64_t size = add_body(network, options, info.features, time_steps);
  if (options.dropout > 0) network.add("dropout", std::make_unique<Dropout>(options.dropout));
  network.add("output", std::make_unique<Linear>(size, std::ssize(info.targets)));
  if (info.binary) {
    network.add("probability", std::make_unique<Activation>("sigmoid"));
  } else {
    network.add("unscale", unscale_layer(info.targets));
  }
  return network;
}

LayerChain regress_core(Sequential& network) {
  LayerChain core;
  for (std::size_t k = 0; k + 1 < network.size(); ++k) core.layers.push_back(network.modules()[k].second.get());
  return core;
}

}  // namespace carousel
