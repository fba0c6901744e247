#include "base/json.h"

namespace carousel {

nlohmann::json parse_json(std::string_view text) { return nlohmann::json::parse(text); }

bool read_json(std::string_view text, nlohmann::json_sax<nlohmann::json>& reader) {
  return nlohmann::json::sax_parse(text, &reader);
}

std::string json_text(const nlohmann::json& value) { return value.dump(); }

}  // namespace carousel
