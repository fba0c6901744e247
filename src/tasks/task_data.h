// task_data.h: reading back what a task keeps in the model file (Model::task_data(), JSON).
#pragma once

#include <string_view>

#include "base/fail.h"
#include "base/json.h"
#include "carousel/model.h"

namespace carousel {

// Calls read(object) with the parsed description. Throws Error{kModel} if the model is for another task, or if the
// JSON does not parse or lacks what `read` asks for.
template <class Read>
void read_task_data(const Model& model, std::string_view task, Read read) {
  if (model.task() != task) fail(Code::kModel, "the model is for task '{}', expected '{}'", model.task(), task);
  try {
    read(parse_json(model.task_data()));
  } catch (const nlohmann::json::exception& error) {
    fail(Code::kModel, "the model's description of its {} task is not usable: {}", task, error.what());
  }
}

}  // namespace carousel
