// text_pipelines.h: the ways from raw text to ids that a model keeps, whatever its task.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "carousel/model.h"
#include "data/text/pipeline.h"

namespace carousel {

// Each with the name that its task gave it ("text"; of a translator "source" and "target"), ordered by name; none for a
// model of numbers. The marks that the task puts at the end of a text are there. Throws Error{kModel} for a damaged
// model.
std::vector<std::pair<std::string, TextPipeline>> text_pipelines(const Model& model);

}  // namespace carousel
