#include "data/number.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/fail.h"
#include "data/nearest.h"

namespace carousel {

std::string_view trim_blanks(std::string_view cell) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!cell.empty() && blank(cell.front())) cell.remove_prefix(1);
  while (!cell.empty() && blank(cell.back())) cell.remove_suffix(1);
  return cell;
}

bool is_missing(std::string_view cell) noexcept {
  constexpr std::array<std::string_view, 9> kWords = {"", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "?"};
  cell = trim_blanks(cell);
  if (cell.size() > 4) return false;
  for (const std::string_view word : kWords) {
    if (cell == word) return true;
  }
  return false;
}

std::optional<double> to_number(std::string_view cell) noexcept {
  cell = trim_blanks(cell);
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

double parse_number(std::string_view cell, const std::string& file, std::int64_t line, std::string_view column) {
  const std::optional<double> value = to_number(cell);
  if (value) return *value;
  if (is_missing(cell)) {
    fail(Code::kData, "{}:{}: column '{}': expected a number, got a missing value ('{}')", file, line, column, cell);
  }
  fail(Code::kData, "{}:{}: column '{}': expected a number, got '{}'", file, line, column, shortened(cell));
}

}  // namespace carousel
