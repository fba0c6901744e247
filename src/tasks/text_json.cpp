#include "tasks/text_json.h"

#include "base/base64.h"

namespace carousel {

using nlohmann::json;

json text_to_json(const TextSettings& settings, const std::vector<std::string>& vocabulary) {
  json object{{"nfkc", settings.nfkc},
              {"nfc", settings.nfc},
              {"lowercase", settings.lowercase},
              {"level", level_name(settings.level)},
              {"max_tokens", settings.max_tokens},
              {"vocabulary", vocabulary}};
  if (settings.level == TextLevel::kSubword) {
    object["subword_model"] = settings.subword_model;
    object["subwords"] = base64_encode(settings.subwords);
  }
  if (settings.buckets > 0) object["buckets"] = settings.buckets;
  return object;
}

void text_from_json(const json& object, TextSettings& settings, std::vector<std::string>& vocabulary) {
  object.at("nfkc").get_to(settings.nfkc);
  settings.buckets = object.value("buckets", std::int64_t{0});
  settings.nfc = object.value("nfc", false);
  object.at("lowercase").get_to(settings.lowercase);
  object.at("max_tokens").get_to(settings.max_tokens);
  settings.level = parse_level(object.at("level").get<std::string>());
  object.at("vocabulary").get_to(vocabulary);
  if (settings.level != TextLevel::kSubword) return;
  object.at("subword_model").get_to(settings.subword_model);
  settings.subwords = base64_decode(object.at("subwords").get<std::string>());
}

}  // namespace carousel
