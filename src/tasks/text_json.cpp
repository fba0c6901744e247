#include "tasks/text_json.h"

namespace carousel {

using nlohmann::json;

json text_to_json(const TextSettings& settings, const std::vector<std::string>& vocabulary) {
  return {{"nfkc", settings.nfkc},
          {"lowercase", settings.lowercase},
          {"level", level_name(settings.level)},
          {"max_tokens", settings.max_tokens},
          {"vocabulary", vocabulary}};
}

void text_from_json(const json& object, TextSettings& settings, std::vector<std::string>& vocabulary) {
  object.at("nfkc").get_to(settings.nfkc);
  object.at("lowercase").get_to(settings.lowercase);
  object.at("max_tokens").get_to(settings.max_tokens);
  settings.level = parse_level(object.at("level").get<std::string>());
  object.at("vocabulary").get_to(vocabulary);
}

}  // namespace carousel
