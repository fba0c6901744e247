#include "tasks/classify_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "tasks/training_run.h"

namespace carousel {

using nlohmann::json;

std::string ClassifyInfo::to_json() const {
  json object{{"labels", labels}, {"features", features}, {"majority", majority}, {"split", split}};
  if (text) {
    object["text"] = {{"nfkc", text->nfkc},
                      {"lowercase", text->lowercase},
                      {"segmentation", segmentation_name(text->segmentation)},
                      {"max_tokens", text->max_tokens},
                      {"vocabulary", vocabulary}};
  }
  return object.dump();
}

ClassifyInfo ClassifyInfo::from_model(const Model& model) {
  if (model.task() != "classify") fail(Code::kModel, "the model is for task '{}', expected 'classify'", model.task());
  ClassifyInfo info;
  try {
    const json object = json::parse(model.task_data());
    object.at("labels").get_to(info.labels);
    object.at("features").get_to(info.features);
    object.at("majority").get_to(info.majority);
    object.at("split").get_to(info.split);
    if (object.contains("text")) {
      const json& text = object.at("text");
      info.text.emplace();
      text.at("nfkc").get_to(info.text->nfkc);
      text.at("lowercase").get_to(info.text->lowercase);
      text.at("max_tokens").get_to(info.text->max_tokens);
      info.text->segmentation = parse_segmentation(text.at("segmentation").get<std::string>());
      text.at("vocabulary").get_to(info.vocabulary);
    }
  } catch (const json::exception& error) {
    fail(Code::kModel, "the description of the classifier is not usable: {}", error.what());
  }
  if (info.labels.size() < 2 || !std::is_sorted(info.labels.begin(), info.labels.end())) {
    fail(Code::kModel, "the model has {} labels, expected at least 2 in order", info.labels.size());
  }
  if (info.majority < 0 || info.majority >= std::ssize(info.labels) || (info.features == 0) != info.text.has_value()) {
    fail(Code::kModel, "the description of the classifier contradicts itself");
  }
  return info;
}

TextPipeline ClassifyInfo::pipeline() const { return TextPipeline(*text, Vocabulary::from_tokens(vocabulary)); }

ModelOptions resolve_classify_model(const ModelOptions& options, const ClassifyData& data,
                                    const std::vector<std::int64_t>& training, Observer& observer) {
  ModelOptions r = options;
  if (r.cell.empty()) r.cell = "lstm";
  if (r.activation.empty()) r.activation = "tanh";
  const bool text = data.is_text(), small = training.size() < 1000;
  if (r.hidden_size == 0) r.hidden_size = text ? 64 : small ? 100 : 128;
  if (r.layers == 0) r.layers = 1;
  if (r.embedding_size == 0) r.embedding_size = 128;
  if (r.bidirectional.empty()) r.bidirectional = "true";
  if (r.pool.empty()) r.pool = "mean";
  if (r.dropout < 0) r.dropout = 0.5;
  const std::string shape = r.cell == "none" ? fmt::format("feed-forward, {} layers of {}", r.layers, r.hidden_size)
                                             : fmt::format("{}{}, {} layer{} of {}, pool {}",
                                                           r.bidirectional == "true" ? "bidirectional " : "", r.cell,
                                                           r.layers, r.layers == 1 ? "" : "s", r.hidden_size, r.pool);
  observer.note(fmt::format("model: {}{}, dropout {}", shape,
                            text ? fmt::format(", embedding_size {}", r.embedding_size) : "", r.dropout));
  return r;
}

namespace {

// x -> (x - mean) / deviation per feature, over all steps of the training samples.
std::unique_ptr<Scale> fit_input_scale(const ClassifyData& data, const std::vector<std::int64_t>& training) {
  const std::int64_t C = data.samples.features;
  std::vector<double> sum(static_cast<std::size_t>(C)), squares(static_cast<std::size_t>(C));
  double steps = 0;
  for (const std::int64_t n : training) {
    const Tensor& values = data.samples.sequences[static_cast<std::size_t>(n)].values;
    steps += static_cast<double>(values.shape()[0]);
    for (std::int64_t k = 0; k < values.elements(); ++k) {
      const double x = values[k];
      sum[static_cast<std::size_t>(k % C)] += x;
      squares[static_cast<std::size_t>(k % C)] += x * x;
    }
  }
  Tensor factor({C}), offset({C});
  for (std::int64_t j = 0; j < C; ++j) {
    const double mean = sum[static_cast<std::size_t>(j)] / std::max(steps, 1.0);
    const double variance = squares[static_cast<std::size_t>(j)] / std::max(steps, 1.0) - mean * mean;
    const double deviation = variance > 1e-12 * (1 + mean * mean) ? std::sqrt(variance) : 1;
    factor[j] = static_cast<float>(1 / deviation);
    offset[j] = static_cast<float>(-mean / deviation);
  }
  return std::make_unique<Scale>(std::move(factor), std::move(offset));
}

// The common length of feed-forward samples.
std::int64_t common_length(const ClassifyData& data) {
  const std::int64_t first = data.samples.length(0);
  for (std::int64_t n = 0; n < data.size(); ++n) {
    if (data.samples.length(n) == first && first > 0) continue;
    fail(Code::kUsage, "--cell none needs samples of one length: sample 0 has {} steps, sample {} has {}", first, n,
         data.samples.length(n));
  }
  return first;
}

}  // namespace

Sequential build_classifier(const ModelOptions& options, const ClassifyData& data,
                            const std::vector<std::int64_t>& training, std::int64_t vocabulary_size) {
  Sequential network;
  BodyOptions body{.cell = options.cell,
                   .input_size = data.samples.features,
                   .hidden_size = options.hidden_size,
                   .proj_size = options.proj_size,
                   .layers = options.layers,
                   .bidirectional = options.bidirectional == "true",
                   .layer_norm = options.layer_norm,
                   .dropout = options.dropout,
                   .recurrent_dropout = options.recurrent_dropout,
                   .activation = options.activation,
                   .pool = options.pool};
  if (data.is_text()) {
    network.add("embedding", std::make_unique<Embedding>(vocabulary_size, options.embedding_size));
    if (options.dropout > 0) network.add("embedding_dropout", std::make_unique<Dropout>(options.dropout));
    body.input_size = options.embedding_size;
  } else {
    network.add("scale", fit_input_scale(data, training));
  }
  std::int64_t size = 0;
  if (data.is_text() && options.cell == "none") {  // a bag of embedded words
    network.add("pool", std::make_unique<Pool>(options.pool == "last" ? "mean" : options.pool));
    size = options.embedding_size;
  } else {
    if (options.cell == "none") body.time_steps = common_length(data);
    size = add_body(network, body);
  }
  if (options.dropout > 0) network.add("dropout", std::make_unique<Dropout>(options.dropout));
  network.add("output", std::make_unique<Linear>(size, std::ssize(data.label_names)));
  return network;
}

}  // namespace carousel
