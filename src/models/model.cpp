#include "carousel/model.h"

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/json.h"
#include "layers/module.h"
#include "models/model_file.h"
#include "models/network_json.h"

namespace carousel {
namespace {

using nlohmann::json;

std::string checked_object(const std::string& text, const char* what) {
  try {
    const json parsed = parse_json(text);
    if (parsed.is_object()) return json_text(parsed);
  } catch (const json::exception&) {  // NOLINT: told below
  }
  fail(Code::kUsage, "{} must be a JSON object", what);
}

const json& member(const json& description, const char* key, json::value_t type, const std::string& path) {
  const auto found = description.find(key);
  if (found == description.end() || found->type() != type) {
    fail(Code::kModel, "{}: the description has no valid '{}'", path, key);
  }
  return *found;
}

// What a Stream keeps in its format. (A projection is in f32 there, so it is in the file.)
std::set<const Parameter*> recurrent_matrices(Sequential& network) {
  std::set<const Parameter*> matrices;
  for (const auto& [name, module] : network.modules()) {
    if (auto* recurrent = dynamic_cast<Recurrent*>(module.get())) {
      for (const Parameter* parameter : recurrent->parameters()) {
        if (parameter->name.starts_with("weight_ih") || parameter->name.starts_with("weight_hh"))
          matrices.insert(parameter);
      }
    }
    for (const auto& [own, inner] : detail::inner_networks(*module)) matrices.merge(recurrent_matrices(*inner));
  }
  return matrices;
}

// Moves the tensors of the file into the network. Both lists must agree in names, order and shapes.
void fill_network(Sequential& network, ModelFile& file, const std::string& path) {
  const auto named = network.named_tensors();
  if (named.size() != file.tensors.size()) {
    fail(Code::kModel, "{}: the file has {} tensors, the network needs {}", path, file.tensors.size(), named.size());
  }
  for (const auto& [name, tensor] : named) {
    const auto found = std::find_if(file.tensors.begin(), file.tensors.end(),
                                    [&, wanted = name](const auto& entry) { return entry.first == wanted; });
    if (found == file.tensors.end()) fail(Code::kModel, "{}: tensor '{}' is missing", path, name);
    if (!(found->second.shape() == tensor->value.shape())) {
      fail(Code::kModel, "{}: tensor '{}' has shape {}, the network needs {}", path, name,
           found->second.shape().to_string(), tensor->value.shape().to_string());
    }
    tensor->value = std::move(found->second);
  }
}

Sequential build_network(const json& layers, ModelFile& file, const std::string& path) {
  const LayerList list = layers_from_json(layers);
  // Before any weight is allocated: the network may not be larger than what the file holds.
  std::int64_t stored = 0, needed = 0;
  for (const auto& [name, tensor] : file.tensors) stored += tensor.elements();
  for (const auto& [name, layer] : list) needed += count_parameters(layer);
  if (needed > stored + 1024) {
    fail(Code::kModel, "{}: the network needs {} numbers, the file has {}", path, needed, stored);
  }
  Sequential network = build_sequential(list);
  fill_network(network, file, path);
  return network;
}

}  // namespace

Model::Model(std::string task, Sequential network)
    : task_(std::move(task)), network_(std::make_unique<Sequential>(std::move(network))) {}

Model Model::load(const std::string& path) {
  ModelFile file = read_model_file(path);
  const json& task = member(file.description, "task", json::value_t::string, path);
  const json& layers = member(file.description, "network", json::value_t::array, path);
  try {
    Model model(task.get<std::string>(), build_network(layers, file, path));
    model.task_data_ = json_text(member(file.description, "data", json::value_t::object, path));
    model.training_ = json_text(member(file.description, "training", json::value_t::object, path));
    return model;
  } catch (const Error& error) {
    if (error.code() == Code::kModel) throw;
    fail(Code::kModel, "{}: {}", path, error.what());  // a setting that no layer accepts
  }
}

void Model::save(const std::string& path, const std::string& dtype) const {
  RoundedTensors rounded{parse_weight_format(dtype), {}};
  const std::set<const Parameter*> matrices = recurrent_matrices(*network_);
  ModelFile file;
  file.description = {{"task", task_},
                      {"network", layers_to_json(network_->describe().branches[0])},
                      {"data", parse_json(task_data_)},
                      {"training", parse_json(training_)}};
  for (const auto& [name, tensor] : network_->named_tensors()) {
    file.tensors.emplace_back(name, tensor->value);
    if (matrices.contains(tensor)) rounded.names.insert(name);
  }
  write_model_file(path, file, rounded);
}

std::int64_t Model::parameter_count() const {
  std::int64_t count = 0;
  for (const Parameter* parameter : network_->parameters()) count += parameter->value.elements();
  return count;
}

void Model::set_task_data(const std::string& text) { task_data_ = checked_object(text, "task data"); }
void Model::set_training(const std::string& text) { training_ = checked_object(text, "training summary"); }

}  // namespace carousel
