#include "tasks/regress_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.h"
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

// Mean and deviation of the numbers given one after another, NaN left out.
class ScaleSum {
 public:
  void add(double value) {
    if (std::isnan(value)) return;
    ++count_;
    const double step = value - mean_;  // Welford 1962
    mean_ += step / count_;
    squares_ += step * (value - mean_);
  }
  ColumnScale scale() const {
    if (count_ == 0) return {};
    const double deviation = std::sqrt(squares_ / count_);
    return {mean_, deviation > 1e-6 * std::abs(mean_) && deviation > 1e-30 ? deviation : 1.0};
  }

 private:
  double count_ = 0, mean_ = 0, squares_ = 0;
};

std::unique_ptr<Scale> scale_layer(const std::vector<ColumnScale>& scales, bool back) {
  Tensor factor({std::ssize(scales)}), offset({std::ssize(scales)});
  for (std::int64_t k = 0; k < factor.elements(); ++k) {
    const ColumnScale& scale = scales[static_cast<std::size_t>(k)];
    factor[k] = static_cast<float>(back ? scale.deviation : 1 / scale.deviation);
    offset[k] = static_cast<float>(back ? scale.mean : -scale.mean / scale.deviation);
  }
  return std::make_unique<Scale>(std::move(factor), std::move(offset));
}

bool one_step_each(const RegressData& data) {
  return std::all_of(data.samples.sequences.begin(), data.samples.sequences.end(),
                     [](const Sequence& sequence) { return sequence.values.shape()[0] == 1; });
}

// The common length of feed-forward samples.
std::int64_t common_length(const RegressData& data) {
  const std::int64_t first = data.samples.length(0);
  for (std::int64_t n = 0; n < data.size(); ++n) {
    if (data.samples.length(n) == first && first > 0) continue;
    fail(Code::kUsage, "--cell none needs samples of one length: sample 0 has {} steps, sample {} has {}", first, n,
         data.samples.length(n));
  }
  return first;
}

}  // namespace

std::string RegressInfo::to_json() const {
  return json{{"feature_columns", columns.features}, {"target_columns", columns.targets},     {"features", features},
              {"inputs", carousel::to_json(inputs)}, {"targets", carousel::to_json(targets)}, {"split", split}}
      .dump();
}

RegressInfo RegressInfo::from_model(const Model& model) {
  if (model.task() != "regress") fail(Code::kModel, "the model is for task '{}', expected 'regress'", model.task());
  RegressInfo info;
  try {
    const json object = json::parse(model.task_data());
    object.at("feature_columns").get_to(info.columns.features);
    object.at("target_columns").get_to(info.columns.targets);
    object.at("features").get_to(info.features);
    info.inputs = scales_from_json(object.at("inputs"));
    info.targets = scales_from_json(object.at("targets"));
    object.at("split").get_to(info.split);
  } catch (const json::exception& error) {
    fail(Code::kModel, "the description of the regression is not usable: {}", error.what());
  }
  const bool table = !info.columns.features.empty();
  if (info.features < 1 || std::ssize(info.inputs) != info.features || info.columns.targets.empty() ||
      info.targets.size() != info.columns.targets.size() ||
      (table && std::ssize(info.columns.features) != info.features)) {
    fail(Code::kModel, "the description of the regression contradicts itself");
  }
  return info;
}

std::vector<double> RegressInfo::input_means() const { return means(inputs); }
std::vector<double> RegressInfo::target_means() const { return means(targets); }

RegressInfo fit_regress_info(const RegressData& data, const std::vector<std::int64_t>& training) {
  const std::int64_t C = data.samples.features, K = data.target_count();
  std::vector<ScaleSum> inputs(static_cast<std::size_t>(C)), targets(static_cast<std::size_t>(K));
  for (const std::int64_t n : training) {
    const Tensor& values = data.samples.sequences[static_cast<std::size_t>(n)].values;
    for (std::int64_t j = 0; j < values.elements(); ++j) inputs[static_cast<std::size_t>(j % C)].add(values[j]);
    for (std::int64_t k = 0; k < K; ++k) {
      targets[static_cast<std::size_t>(k)].add(data.targets[static_cast<std::size_t>(n * K + k)]);
    }
  }
  RegressInfo info;
  info.columns = data.columns;
  info.features = C;
  for (const ScaleSum& sum : inputs) info.inputs.push_back(sum.scale());
  for (const ScaleSum& sum : targets) info.targets.push_back(sum.scale());
  return info;
}

ModelOptions resolve_regress_model(const ModelOptions& options, const RegressData& data, Observer& observer) {
  ModelOptions r = options;
  if (r.cell.empty() && one_step_each(data)) {
    observer.note("model: every sample is one row, so the network is feed-forward; --cell lstm makes it recurrent");
  }
  if (r.cell.empty()) r.cell = one_step_each(data) ? "none" : "lstm";
  const bool feed_forward = r.cell == "none";
  if (r.activation.empty()) r.activation = feed_forward ? "relu" : "tanh";
  if (r.hidden_size == 0) r.hidden_size = 64;
  if (r.layers == 0) r.layers = feed_forward ? 2 : 1;
  if (r.bidirectional.empty()) r.bidirectional = one_step_each(data) ? "false" : "true";
  if (r.pool.empty()) r.pool = one_step_each(data) ? "last" : "mean";
  if (r.dropout < 0) r.dropout = 0.1;
  const std::string shape =
      feed_forward ? fmt::format("feed-forward, {} layers of {}, {}", r.layers, r.hidden_size, r.activation)
                   : fmt::format("{}{}, {} layer{} of {}, pool {}", r.bidirectional == "true" ? "bidirectional " : "",
                                 r.cell, r.layers, r.layers == 1 ? "" : "s", r.hidden_size, r.pool);
  observer.note(fmt::format("model: {}, dropout {}", shape, r.dropout));
  return r;
}

Sequential build_regression(const ModelOptions& options, const RegressData& data, const RegressInfo& info) {
  Sequential network;
  network.add("scale", scale_layer(info.inputs, false));
  const std::int64_t size = add_body(network, {.cell = options.cell,
                                               .input_size = info.features,
                                               .hidden_size = options.hidden_size,
                                               .proj_size = options.proj_size,
                                               .layers = options.layers,
                                               .bidirectional = options.bidirectional == "true",
                                               .layer_norm = options.layer_norm,
                                               .dropout = options.dropout,
                                               .recurrent_dropout = options.recurrent_dropout,
                                               .activation = options.activation,
                                               .pool = options.pool,
                                               .time_steps = options.cell == "none" ? common_length(data) : 1});
  if (options.dropout > 0) network.add("dropout", std::make_unique<Dropout>(options.dropout));
  network.add("output", std::make_unique<Linear>(size, std::ssize(info.targets)));
  network.add("unscale", scale_layer(info.targets, true));
  return network;
}

LayerChain regress_core(Sequential& network) {
  LayerChain core;
  for (std::size_t k = 0; k + 1 < network.size(); ++k) core.layers.push_back(network.modules()[k].second.get());
  return core;
}

}  // namespace carousel
