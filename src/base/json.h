// json.h: nlohmann-json, with its parser and its writers compiled once, in json.cpp and json_output.cpp, instead of in
// every file that uses them (they cost several seconds a file).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace carousel {

// Throws nlohmann::json::parse_error. For text of unknown origin read it first with a reader that limits its depth.
nlohmann::json parse_json(std::string_view text);

// Gives the parts of `text` to `reader` one after another; false if it stopped or met a fault.
bool read_json(std::string_view text, nlohmann::json_sax<nlohmann::json>& reader);

// One line without blanks; numbers with the fewest digits that read back the same. Text that is no UTF-8: the first
// throws nlohmann::json::type_error, the second, for output that must not fail, writes U+FFFD.
std::string json_text(const nlohmann::json& value);
std::string json_output(const nlohmann::ordered_json& value);

}  // namespace carousel
