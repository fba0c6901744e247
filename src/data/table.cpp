#include "data/table.h"

#include <algorithm>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/table_format.h"
#include "data/table_rows.h"

namespace carousel {
namespace {

std::unique_ptr<RowParser> make_parser(CheckedLines& lines, std::string_view first_line, const TableOptions& options,
                                       bool forced) {
  switch (options.format) {
    case TableFormat::kJsonLines:
      return make_json_parser(lines);
    case TableFormat::kFastText:
      return make_fasttext_parser();
    case TableFormat::kLines:
      return make_lines_parser(options.label);
    case TableFormat::kSpace:
      return make_space_parser(lines, options);
    case TableFormat::kTsv:
      return make_delimited_parser(lines, '\t', options, forced);
    case TableFormat::kCsv:
    case TableFormat::kAuto:
      break;
  }
  return make_delimited_parser(lines, recognise_delimiter(first_line), options, forced);
}

}  // namespace

TableReader::TableReader(const std::string& path, TableOptions options)
    : options_(std::move(options)), lines_(std::make_unique<CheckedLines>(path)) {
  std::string first;
  if (!lines_->next_filled(first)) fail(Code::kData, "{}: the file is empty, expected rows", path);
  const bool forced = options_.format != TableFormat::kAuto;
  if (!forced) options_.format = recognise_table(path, first, options_);
  lines_->push_back(first);
  parser_ = make_parser(*lines_, first, options_, forced);
}

TableReader::~TableReader() = default;
TableReader::TableReader(TableReader&&) noexcept = default;
TableReader& TableReader::operator=(TableReader&&) noexcept = default;

const std::string& TableReader::path() const { return lines_->path(); }
const std::vector<std::string>& TableReader::columns() const { return parser_->columns(); }
const std::vector<std::string>& TableReader::nested_keys() const { return parser_->nested_keys(); }
std::int64_t TableReader::blank_lines() const { return lines_->blank_lines(); }
bool TableReader::next(Row& row) { return parser_->next(*lines_, row); }

bool TableReader::has_column(std::string_view name) const {
  return std::find(columns().begin(), columns().end(), name) != columns().end();
}

std::int64_t TableReader::column_index(std::string_view name, std::string_view advice) const {
  const auto found = std::find(columns().begin(), columns().end(), name);
  if (found != columns().end()) return found - columns().begin();
  if (std::find(nested_keys().begin(), nested_keys().end(), name) != nested_keys().end()) {
    fail(Code::kData, "{}: key '{}' holds an object or a list, expected a text or a number", path(), name);
  }
  const std::string nearest = nearest_word(name, columns());
  const bool named = options_.format == TableFormat::kCsv || options_.format == TableFormat::kTsv;
  const std::string_view form = options_.format == TableFormat::kTsv ? "tsv" : "csv";
  const bool hint = named && nearest.empty() && columns().front() != "c1";
  fail(Code::kData, "{}: no column '{}'{}; the columns are: {}{}{}", path(), name,
       nearest.empty() ? "" : fmt::format(" (nearest: '{}')", nearest), listed(columns()),
       advice.empty() ? "" : fmt::format("; {}", advice),
       hint ? fmt::format(" (if that is no header, say --format {}-no-header; the columns then are c1, c2 ...)", form)
            : "");
}

}  // namespace carousel
