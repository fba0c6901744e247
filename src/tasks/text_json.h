// text_json.h: how a model file keeps the way from raw text to ids: settings, vocabulary, subwords.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "carousel/model.h"
#include "data/text/pipeline.h"

namespace carousel {

nlohmann::json text_to_json(const TextSettings& settings, const std::vector<std::string>& vocabulary);

// For read_task_data(): throws what nlohmann::json throws for a key that is missing or of the wrong kind, and
// Error{kUsage} for an unknown level, Error{kData} for subwords that are no base64.
void text_from_json(const nlohmann::json& object, TextSettings& settings, std::vector<std::string>& vocabulary);

// The ways from raw text to ids that a model keeps, each with the name that its task gave it ("text"; of a translator
// "source" and "target"), ordered by name; none for a model of numbers. Throws Error{kModel} for a damaged one.
std::vector<std::pair<std::string, TextPipeline>> text_pipelines(const Model& model);

}  // namespace carousel
