// json_text.h: JSON from a file that may be hostile: depth and memory are bounded before anything is built.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace carousel {

// Parses `text`. Throws Error{kModel} that starts with `place` if it is no JSON, nests deeper than 32 levels or would
// take more than about `max_bytes` of memory.
nlohmann::json parse_json_text(std::string_view text, std::int64_t max_bytes, const std::string& place);

// A name from a file, fit for an error message: at most 80 bytes, control and non-ASCII bytes as '?'.
std::string printable(std::string_view name);

}  // namespace carousel
