// network_json.h: the layers of a network as JSON: [["embedding", {"type": "embedding", "vocabulary_size": 7, ...}],
// ...]
#pragma once

#include "base/json.h"
#include "carousel/layers.h"

namespace carousel {

nlohmann::json layers_to_json(const LayerList& layers);
LayerList layers_from_json(const nlohmann::json& json);  // throws Error{kModel} that names what does not fit

}  // namespace carousel
