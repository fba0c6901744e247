// text_json.h: how a model file keeps the way from raw text to ids: settings, vocabulary, subwords.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "data/text/pipeline.h"

namespace carousel {

nlohmann::json text_to_json(const TextSettings& settings, const std::vector<std::string>& vocabulary);

// For read_task_data(): throws what nlohmann::json throws for a key that is missing or of the wrong kind, and
// Error{kUsage} for an unknown level, Error{kData} for subwords that are no base64.
void text_from_json(const nlohmann::json& object, TextSettings& settings, std::vector<std::string>& vocabulary);

}  // namespace carousel
