// build.cpp: layers from their descriptions.
#include <limits>

#include "base/checked_size.h"
#include "base/fail.h"
#include "carousel/layers.h"
#include "cells/cell.h"
#include "layers/term_scores.h"

namespace carousel {
namespace {

// Reads the settings of one layer; what is missing, of the wrong kind or unknown is an Error{kModel}.
class Settings {
 public:
  explicit Settings(const LayerDescription& description) : description_(description) {}

  template <class T>
  T get(const char* key) {
    const auto found = description_.settings.find(key);
    if (found == description_.settings.end())
      fail(Code::kModel, "layer '{}' has no setting '{}'", description_.type, key);
    const T* value = std::get_if<T>(&found->second);
    if (!value) fail(Code::kModel, "layer '{}': setting '{}' is of the wrong kind", description_.type, key);
    ++used_;
    return *value;
  }

  bool has(const char* key) const { return description_.settings.contains(key); }

  // A size from a file: positive and small enough that products of a few of them fit.
  std::int64_t size(const char* key, std::int64_t smallest = 1) {
    const auto value = get<std::int64_t>(key);
    if (value < smallest || value > std::numeric_limits<std::int32_t>::max() / 16) {
      fail(Code::kModel, "layer '{}': {} is {}, out of range", description_.type, key, value);
    }
    return value;
  }

  void finish() const {
    if (used_ != description_.settings.size())
      fail(Code::kModel, "layer '{}' has an unknown setting", description_.type);
  }

 private:
  const LayerDescription& description_;
  std::size_t used_ = 0;
};

std::unique_ptr<Module> build_recurrent(Settings& s) {
  RecurrentOptions o;
  o.cell = s.get<std::string>("cell");
  o.input_size = s.size("input_size");
  o.hidden_size = s.size("hidden_size");
  o.proj_size = s.size("proj_size", 0);
  o.layers = s.size("layers");
  o.bidirectional = s.get<bool>("bidirectional");
  o.bias = s.get<bool>("bias");
  o.dropout = s.get<double>("dropout");
  o.recurrent_dropout = s.get<double>("recurrent_dropout");
  if (s.has("output_activation")) o.output_activation = s.get<std::string>("output_activation");
  if (s.has("decay")) o.decay = s.get<double>("decay");
  if (s.has("periods")) o.periods = s.get<std::string>("periods");
  if (s.has("heads")) o.heads = s.size("heads");
  return std::make_unique<Recurrent>(std::move(o));
}

std::unique_ptr<Module> build_simple(const std::string& type, Settings& s) {
  if (type == "recurrent") return build_recurrent(s);
  if (type == "embedding") return std::make_unique<Embedding>(s.size("vocabulary_size"), s.size("embedding_size"));
  if (type == "linear") {
    const std::int64_t input_size = s.size("input_size"), output_size = s.size("output_size");
    return std::make_unique<Linear>(input_size, output_size, s.get<bool>("bias"));
  }
  if (type == "pool") return std::make_unique<Pool>(s.get<std::string>("kind"));
  if (type == "flatten") return std::make_unique<Flatten>(s.size("time_steps"));
  if (type == "scale") {
    const Shape shape{s.size("size")};
    return std::make_unique<Scale>(Tensor(shape), Tensor(shape));
  }
  if (type == "dropout") {
    const auto probability = s.get<double>("probability");
    return std::make_unique<Dropout>(probability, s.get<bool>("per_sequence"));
  }
  if (type == "layer_norm") return std::make_unique<LayerNorm>(s.size("size"));
  if (type == "term_scores") {
    const std::int64_t terms = s.size("terms");
    return std::make_unique<TermScores>(terms, s.size("classes"));
  }
  if (type == "activation") return std::make_unique<Activation>(s.get<std::string>("kind"));
  fail(Code::kModel, "unknown layer type '{}': the model may come from a newer version", type);
}

}  // namespace

namespace {

// Of one layer and direction; output: what a layer above gets.
std::int64_t count_scan(const Cell& cell, std::int64_t C, std::int64_t H, std::int64_t P) {
  const std::int64_t G = cell.gate_count(), K = cell.recurrent_gates(), states = std::ssize(cell.recurrent_states);
  const std::int64_t recurrent_size = (states - 1) * H + (P > 0 ? P : H);
  const std::int64_t output = cell.output_layer ? (P > 0 ? P : H) * (H + 1) : P * H;
  return output + checked_size({G, H, C}, "recurrent weights") +
         checked_size({K, H, recurrent_size}, "recurrent weights") + (G + K + cell.unit_weight_count()) * H;
}

std::int64_t count_recurrent(Settings& s) {
  const Cell& cell = find_cell(s.get<std::string>("cell"));
  const std::int64_t H = s.size("hidden_size"), P = s.size("proj_size", 0), D = s.get<bool>("bidirectional") ? 2 : 1;
  const std::int64_t C = s.size("input_size"), layers = s.size("layers"), output = D * (P > 0 ? P : H);
  const std::int64_t lowest = D * count_scan(cell_of_layer(cell, 0), cell.entry ? H : C, H, P);
  const std::int64_t others = layers > 1 ? count_scan(cell, output, H, P) : 0;
  return lowest + checked_size({layers - 1, D, others}, "recurrent weights") + (cell.entry ? 2 * H * (C + 1) : 0);
}

}  // namespace

std::int64_t count_parameters(const LayerDescription& description) {
  std::int64_t count = 0;
  for (const auto& branch : description.branches) {
    for (const auto& [name, layer] : branch) count += count_parameters(layer);
  }
  Settings s(description);
  const std::string& type = description.type;
  if (type == "recurrent") count += count_recurrent(s);
  if (type == "embedding") count += checked_size({s.size("vocabulary_size"), s.size("embedding_size")}, "embedding");
  if (type == "linear") count += checked_size({s.size("input_size") + 1, s.size("output_size")}, "linear");
  if (type == "term_scores") {
    count += checked_size({s.size("terms"), s.size("classes") + 3}, "term_scores") + s.size("classes");
  }
  if (type == "layer_norm" || type == "scale") count += 2 * s.size("size");
  return count;
}

std::unique_ptr<Module> build_module(const LayerDescription& description) {
  if (description.type == "sum") {
    std::vector<Sequential> branches;
    for (const auto& branch : description.branches) branches.push_back(build_sequential(branch));
    return std::make_unique<Sum>(std::move(branches));
  }
  Settings settings(description);
  std::unique_ptr<Module> module = build_simple(description.type, settings);
  settings.finish();
  return module;
}

Sequential build_sequential(const LayerList& layers) {
  Sequential network;
  for (const auto& [name, description] : layers) network.add(name, build_module(description));
  return network;
}

}  // namespace carousel
