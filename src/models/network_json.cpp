#include "models/network_json.h"

#include "base/fail.h"

namespace carousel {
namespace {

using nlohmann::json;

json layer_to_json(const LayerDescription& layer) {
  json object{{"type", layer.type}};
  for (const auto& [key, setting] : layer.settings) {
    std::visit([&, name = key](const auto& value) { object[name] = value; }, setting);
  }
  for (const auto& branch : layer.branches) object["branches"].push_back(layers_to_json(branch));
  return object;
}

LayerDescription::Setting setting_from_json(const std::string& key, const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number_float()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  fail(Code::kModel, "network: setting '{}' is a {}, expected a number, a text or true/false", key, value.type_name());
}

LayerDescription layer_from_json(const json& object) {
  if (!object.is_object() || !object.contains("type") || !object["type"].is_string()) {
    fail(Code::kModel, "network: every layer must be an object with a 'type'");
  }
  LayerDescription layer;
  layer.type = object["type"].get<std::string>();
  for (const auto& [key, value] : object.items()) {
    if (key == "type") continue;
    if (key != "branches") {
      layer.settings.emplace(key, setting_from_json(key, value));
      continue;
    }
    for (const json& branch : value) layer.branches.push_back(layers_from_json(branch));
  }
  return layer;
}

}  // namespace

json layers_to_json(const LayerList& layers) {
  json list = json::array();
  for (const auto& [name, layer] : layers) list.push_back(json::array({name, layer_to_json(layer)}));
  return list;
}

LayerList layers_from_json(const json& list) {
  if (!list.is_array()) fail(Code::kModel, "network: expected a list of layers, got a {}", list.type_name());
  LayerList layers;
  for (const json& entry : list) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string()) {
      fail(Code::kModel, "network: expected [name, layer] pairs");
    }
    layers.push_back({entry[0].get<std::string>(), layer_from_json(entry[1])});
  }
  return layers;
}

}  // namespace carousel
