#include "tasks/transcribe/transcribe_model.h"

#include "base/fail.h"
#include "base/json.h"
#include "tasks/column_scale.h"
#include "tasks/task_data.h"
#include "tasks/text_json.h"
#include "tasks/training_run.h"

namespace carousel {

using nlohmann::json;

namespace {

// Whether the network reads what the description makes of an input and gives a logit for each class.
bool fits(const TranscribeInfo& info, const Sequential& network) {
  if (network.size() < 2) return false;
  const auto* scale = dynamic_cast<const Scale*>(network.modules().front().second.get());
  const auto* output = dynamic_cast<const Linear*>(network.modules().back().second.get());
  return scale && output && scale->factor.value.elements() == info.frames.features * info.frames.stack &&
         output->weight.value.shape()[0] == info.labels().classes();
}

}  // namespace

std::string TranscribeInfo::to_json() const {
  json input{{"features", frames.features}, {"stack", frames.stack}};
  if (frames.from_audio()) {
    input["centered"] = frames.centered;
    const LogMelSettings& s = frames.log_mel;
    input["log_mel"] = {
        {"sample_rate", s.sample_rate}, {"window", s.window}, {"hop", s.hop}, {"filters", s.filters}, {"low", s.low}};
  }
  const json object{
      {"frames", input}, {"text", text_to_json(text, vocabulary)}, {"majority", majority}, {"split", split}};
  return json_text(object);
}

TranscribeInfo TranscribeInfo::from_model(const Model& model) {
  TranscribeInfo info;
  read_task_data(model, "transcribe", [&](const json& object) {
    const json& input = object.at("frames");
    input.at("features").get_to(info.frames.features);
    input.at("stack").get_to(info.frames.stack);
    if (input.contains("log_mel")) {
      input.at("centered").get_to(info.frames.centered);
      const json& log_mel = input.at("log_mel");
      LogMelSettings& s = info.frames.log_mel;
      log_mel.at("sample_rate").get_to(s.sample_rate);
      log_mel.at("window").get_to(s.window);
      log_mel.at("hop").get_to(s.hop);
      log_mel.at("filters").get_to(s.filters);
      log_mel.at("low").get_to(s.low);
    }
    text_from_json(object.at("text"), info.text, info.vocabulary);
    object.at("majority").get_to(info.majority);
    object.at("split").get_to(info.split);
  });
  const FrameSettings& f = info.frames;
  constexpr std::int64_t kMost = 1 << 20;
  const bool sizes = f.features >= 1 && f.features <= kMost && f.stack >= 1 && f.stack <= kMost;
  if (!sizes || (f.from_audio() && f.features != f.log_mel.filters) || info.text.level == TextLevel::kAuto ||
      !fits(info, model.network())) {
    fail(Code::kModel, "the description of the transcriber contradicts itself or its network");
  }
  try {
    if (f.from_audio()) static_cast<void>(LogMel(f.log_mel));
  } catch (const Error& error) {
    fail(Code::kModel, "the description of the transcriber is not usable: {}", error.what());
  }
  return info;
}

ModelOptions resolve_transcribe_model(const ModelOptions& options, Observer& observer) {
  ModelOptions r = options;
  if (r.cell == "none") {
    fail(Code::kUsage, "--cell none: what is said at a step needs the steps around it, take a recurrent cell");
  }
  if (!r.pool.empty()) fail(Code::kUsage, "--pool {}: labels are found at every step, leave it out", r.pool);
  if (r.cell.empty()) r.cell = "lstm";
  if (r.activation.empty()) r.activation = "tanh";
  if (r.hidden_size == 0) r.hidden_size = 128;
  if (r.layers == 0) r.layers = 2;
  if (r.bidirectional.empty()) r.bidirectional = "true";
  if (r.dropout < 0) r.dropout = 0.3;
  observer.note(fmt::format("model: {}{}, {} layer{} of {}, dropout {}",
                            r.bidirectional == "true" ? "bidirectional " : "", r.cell, r.layers,
                            r.layers == 1 ? "" : "s", r.hidden_size, r.dropout));
  return r;
}

Sequential build_transcriber(const ModelOptions& options, const Samples& samples,
                             const std::vector<std::int64_t>& training, std::int64_t classes) {
  Sequential network;
  network.add("scale", scale_layer(fit_feature_scales(samples, training)));
  const std::int64_t size = add_body(network, options, samples.features, 1);
  if (options.dropout > 0) network.add("dropout", std::make_unique<Dropout>(options.dropout));
  network.add("output", std::make_unique<Linear>(size, classes));
  return network;
}

}  // namespace carousel
