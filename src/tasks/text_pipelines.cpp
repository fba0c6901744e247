#include "tasks/text_pipelines.h"

#include "tasks/lm/lm_model.h"
#include "tasks/task_data.h"
#include "tasks/text_json.h"
#include "tasks/translate/translate_data.h"

namespace carousel {

std::vector<std::pair<std::string, TextPipeline>> text_pipelines(const Model& model) {
  std::vector<std::pair<std::string, TextPipeline>> list;
  const auto add = [&](const std::string& name, const TextSettings& settings, const std::vector<std::string>& tokens) {
    list.emplace_back(name, TextPipeline(settings, Vocabulary::from_tokens(tokens)));
  };
  if (model.task() == "lm") {
    const LmInfo info = LmInfo::from_model(model);
    add("text", info.text, info.vocabulary);
    return list;
  }
  if (model.task() == "translate") {
    TranslateInfo info = TranslateInfo::from_model(model);
    info.target.add_eos = true;
    add("source", info.source, info.source_vocabulary);
    add("target", info.target, info.target_vocabulary);
    return list;
  }
  read_task_data(model, model.task(), [&](const nlohmann::json& object) {
    for (const auto& [name, part] : object.items()) {
      if (!part.is_object() || !part.contains("vocabulary") || !part.contains("level")) continue;
      TextSettings settings;
      std::vector<std::string> vocabulary;
      text_from_json(part, settings, vocabulary);
      add(name, settings, vocabulary);
    }
  });
  return list;
}

}  // namespace carousel
