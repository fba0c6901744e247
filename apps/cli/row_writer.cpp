#include "row_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/fail.h"
#include "base/json.h"

namespace carousel::cli {
namespace {

using Json = nlohmann::ordered_json;

bool holds_names(std::string_view column) {
  constexpr std::array<std::string_view, 6> kNames = {"label", "text", "id", "time", "series", "output"};
  return std::find(kNames.begin(), kNames.end(), column) != kNames.end();
}

Json cell_json(const std::string& column, const std::string& cell) {
  if (holds_names(column)) return cell;
  if (cell.empty()) return nullptr;
  double number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(number)) return cell;
  std::int64_t whole = 0;
  const auto [whole_end, whole_error] = std::from_chars(cell.data(), cell.data() + cell.size(), whole);
  if (whole_error == std::errc() && whole_end == end) return whole;
  return number;
}

}  // namespace

RowWriter::RowWriter(RowFormat format, Take write, Take note)
    : format_(format), write_(std::move(write)), note_(std::move(note)) {}

void RowWriter::header(const std::vector<std::string>& columns) {
  columns_ = columns;
  if (format_ == RowFormat::kCsv) write_(csv_line(columns) + "\n");
}

void RowWriter::row(const std::vector<std::string>& cells) { row(cells, {}); }

void RowWriter::row(const std::vector<std::string>& cells, const std::vector<std::string>& values) {
  if (cells.size() != columns_.size()) {
    fail(Code::kInternal, "a row of predictions has {} cells, the header {}", cells.size(), columns_.size());
  }
  write_((format_ == RowFormat::kCsv ? csv_line(cells) : json_line(columns_, cells, values)) + "\n");
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    if (k > 0) line += ',';
    if (cells[k].find_first_of(",\"\r\n") == std::string::npos) {
      line += cells[k];
      continue;
    }
    line += '"';
    for (const char c : cells[k]) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line;
}

std::string json_line(const std::vector<std::string>& columns, const std::vector<std::string>& cells,
                      const std::vector<std::string>& values) {
  Json object = {{"schema", 1}};
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const bool has_value = k < values.size() && !values[k].empty();
    object[columns[k]] = has_value ? Json::parse(values[k]) : cell_json(columns[k], cells[k]);
  }
  return json_output(object);
}

}  // namespace carousel::cli
