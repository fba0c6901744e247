// first_row.cpp: is the first row of a table its header, and what are the columns called?
#include <algorithm>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/table_rows.h"

namespace carousel {
namespace {

bool is_header(const Row& first, Header header) {
  if (header != Header::kAuto) return header == Header::kPresent;
  bool number = false;
  for (const std::string_view cell : first.cells) {
    if (!is_missing(cell) && !to_number(cell)) return true;
    number = number || !is_missing(cell);
  }
  return !number;
}

}  // namespace

std::vector<std::string> FirstRow::names(const CheckedLines& lines, Header header) {
  pending_ = !is_header(row, header);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const std::string_view name = pending_ ? "" : trim_blanks(row.cells[i]);
    names.push_back(name.empty() ? fmt::format("c{}", i + 1) : std::string(name));
  }
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    fail(Code::kData, "{}:{}: the header names column '{}' twice; if there is no header, say --format csv-no-header",
         lines.path(), row.line, shortened(*twice));
  }
  return names;
}

bool FirstRow::take(Row& next) {
  if (!pending_) return false;
  pending_ = false;
  next = row;
  return true;
}

}  // namespace carousel
