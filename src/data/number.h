// number.h: numbers and missing values in the cells of a table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carousel {

// Without the blanks (space, tab) at both ends.
std::string_view trim_blanks(std::string_view cell) noexcept;

// Whether the cell says that there is no value: empty, NA, N/A, NaN, nan, null or ?, blanks around it ignored.
bool is_missing(std::string_view cell) noexcept;

// The finite decimal number in the cell, blanks around it ignored; nothing if it is anything else.
std::optional<double> to_number(std::string_view cell) noexcept;

// The same, but throws Error{kData}: "file:17: column 'OT': expected a number, got 'abc'".
double parse_number(std::string_view cell, const std::string& file, std::int64_t line, std::string_view column);

}  // namespace carousel
