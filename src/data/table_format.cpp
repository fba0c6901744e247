#include "data/table_format.h"

#include <array>
#include <utility>

#include "base/fail.h"
#include "data/number.h"

namespace carousel {
namespace {

constexpr std::array<std::pair<std::string_view, TableFormat>, 7> kNames = {{{"", TableFormat::kAuto},
                                                                             {"csv", TableFormat::kCsv},
                                                                             {"tsv", TableFormat::kTsv},
                                                                             {"jsonl", TableFormat::kJsonLines},
                                                                             {"fasttext", TableFormat::kFastText},
                                                                             {"lines", TableFormat::kLines},
                                                                             {"space", TableFormat::kSpace}}};

bool remove_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

// Whether the line is numbers set apart by blanks (at least one).
bool all_numbers(std::string_view line) {
  bool any = false;
  for (line = trim_blanks(line); !line.empty(); line = trim_blanks(line)) {
    const std::string_view cell = line.substr(0, line.find_first_of(" \t"));
    if (!is_missing(cell) && !to_number(cell)) return false;
    any = any || !is_missing(cell);
    line.remove_prefix(cell.size());
  }
  return any;
}

// Whether one of the cells of the line, blanks and quotation marks around it removed, is `column`.
bool has_cell(std::string_view line, std::string_view column) {
  const char delimiter = recognise_delimiter(line);
  for (bool more = true; more;) {
    const std::size_t end = line.find(delimiter);
    std::string_view cell = trim_blanks(line.substr(0, end));
    if (cell.size() > 1 && cell.starts_with('"') && cell.ends_with('"')) cell = cell.substr(1, cell.size() - 2);
    if (cell == column) return true;
    more = end != std::string_view::npos;
    if (more) line.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

TableOptions parse_table_format(std::string_view name) {
  TableOptions options;
  std::string_view rest = name;
  for (bool more = true; more;) {
    more = false;
    if (remove_suffix(rest, "-no-header")) {
      options.header = Header::kAbsent;
      more = true;
    }
    if (remove_suffix(rest, "-no-quotes")) {
      options.quotes = false;
      more = true;
    }
  }
  for (const auto& [known, format] : kNames) {
    if (rest != known) continue;
    options.format = format;
    const bool plain = format == TableFormat::kCsv || format == TableFormat::kTsv || rest == name;
    if (plain) return options;
  }
  fail(Code::kUsage,
       "format '{}' is unknown; tables are csv, tsv (both also with -no-header, -no-quotes), jsonl, fasttext, lines, "
       "space",
       name);
}

std::string file_ending(std::string_view path) {
  std::string name(path.substr(path.find_last_of('/') + 1));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  const std::size_t dot = name.find_last_of('.');
  return dot == std::string::npos ? "" : name.substr(dot + 1);
}

TableFormat recognise_table(const std::string& path, std::string_view first_line, const TableOptions& options) {
  const std::string ending = file_ending(path);
  if (ending == "csv") return TableFormat::kCsv;
  if (ending == "tsv") return TableFormat::kTsv;
  if (ending == "jsonl" || ending == "ndjson" || ending == "json") return TableFormat::kJsonLines;
  if (ending == "ts" || ending == "npy") {
    fail(Code::kData, "{}: a .{} file holds sequences of numbers, expected a table (csv, tsv, jsonl, ...)", path,
         ending);
  }
  const std::string_view line = trim_blanks(first_line);
  if (line.starts_with('{')) return TableFormat::kJsonLines;
  if (line.starts_with("__label__")) return TableFormat::kFastText;
  if (all_numbers(line)) return TableFormat::kSpace;
  if (line.find('\t') != std::string_view::npos) return TableFormat::kTsv;
  const bool choice = options.otherwise != TableFormat::kAuto;
  const bool separated = line.find_first_of(",;") != std::string_view::npos;
  if (separated && (!choice || has_cell(line, options.known_column))) return TableFormat::kCsv;
  if (choice) return options.otherwise;
  fail(Code::kData,
       "{}: neither the ending of the name nor the first line says which format this is; say --format csv, tsv, jsonl, "
       "fasttext, lines or space, or give one file per class as label=path",
       path);
}

char recognise_delimiter(std::string_view first_line) {
  constexpr std::string_view kDelimiters = ",;\t";
  std::array<int, 3> counts{};
  bool quoted = false;
  for (const char c : first_line) {
    if (c == '"') quoted = !quoted;
    const std::size_t which = kDelimiters.find(c);
    if (!quoted && which != std::string_view::npos) ++counts[which];
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < counts.size(); ++i) {
    if (counts[i] > counts[best]) best = i;
  }
  return kDelimiters[best];
}

}  // namespace carousel
