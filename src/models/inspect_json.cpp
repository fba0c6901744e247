
#include "base/json.h"
#include "models/inspect.h"

namespace carousel {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const TensorInfo& tensor) {
  Json object{{"name", tensor.name}, {"type", tensor.type}, {"axes", tensor.axes}, {"shape", tensor.shape}};
  if (!tensor.meaning.empty()) object["meaning"] = tensor.meaning;
  return object;
}

Json to_json(const std::vector<TensorInfo>& tensors) {
  Json list = Json::array();
  for (const TensorInfo& tensor : tensors) list.push_back(to_json(tensor));
  return list;
}

Json to_json(const LayerInfo& layer) {
  return {{"name", layer.name},
          {"type", layer.type},
          {"settings", layer.settings},
          {"inputs", to_json(layer.inputs)},
          {"outputs", to_json(layer.outputs)},
          {"parameters", to_json(layer.parameters)},
          {"parameter_count", layer.parameter_count},
          {"notes", layer.notes}};
}

Json padding_json(const InspectResult& result) {
  if (result.mask.elements() == 0) return nullptr;
  const std::int64_t T = result.mask.shape()[0], N = result.mask.shape()[1];
  Json mask = Json::array();
  for (std::int64_t t = 0; t < T; ++t) {
    const std::int32_t* row = result.mask.data() + t * N;
    mask.push_back(std::vector<std::int32_t>(row, row + N));
  }
  return {{"lengths", result.lengths}, {"axes", {"time", "sample"}}, {"shape", {T, N}}, {"mask", mask}};
}

Json step_json(const WorkedStep& step) {
  Json gates = Json::array();
  for (const GateValue& gate : step.gates) {
    Json object{{"name", gate.name}, {"from_input", gate.from_input}, {"from_state", gate.from_state}};
    if (step.adds_parts) object["preactivation"] = gate.from_input + gate.from_state;
    object["value"] = gate.value;
    gates.push_back(std::move(object));
  }
  Json states = Json::array();
  for (std::size_t k = 0; k < step.states.size(); ++k) {
    states.push_back(
        {{"name", step.states[k]}, {"before", step.before[k]}, {"after", step.after[k]}, {"network", step.network[k]}});
  }
  Json object{{"layer", step.layer},   {"cell", step.cell},         {"equations", step.equations},
              {"sample", step.sample}, {"time", step.time_step},    {"unit", step.unit},
              {"x", step.x},           {"h_before", step.h_before}, {"gates", gates},
              {"states", states}};
  if (step.unprojected) object["unprojected"] = *step.unprojected;
  object["largest_difference"] = step.largest_difference;
  return object;
}

}  // namespace

Json inspect_json(const InspectResult& result) {
  Json layers = Json::array();
  for (const LayerInfo& layer : result.layers) layers.push_back(to_json(layer));
  return {{"inputs", to_json(result.inputs)},
          {"outputs", to_json(result.outputs)},
          {"states", to_json(result.states)},
          {"layers", layers},
          {"parameters", result.parameter_count},
          {"padding", padding_json(result)},
          {"worked_step", result.step ? step_json(*result.step) : Json(nullptr)}};
}

}  // namespace carousel
