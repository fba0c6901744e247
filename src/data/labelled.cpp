#include "data/labelled.h"

#include "base/fail.h"
#include "data/number.h"

namespace carousel {

std::pair<std::string, std::string> split_source(const std::string& source) {
  const std::size_t equals = source.find('=');
  if (equals == std::string::npos || equals > source.find('/')) return {"", source};
  std::string label(trim_blanks(std::string_view(source).substr(0, equals)));
  std::string path = source.substr(equals + 1);
  if (label.empty() || path.empty()) fail(Code::kUsage, "data source '{}': expected a path or label=path", source);
  return {std::move(label), std::move(path)};
}

LabelledReader::LabelledReader(LabelledSources sources) : sources_(std::move(sources)) {
  if (sources_.sources.empty()) fail(Code::kUsage, "no data file is named");
}

void LabelledReader::open(const std::string& source) {
  auto [label, path] = split_source(source);
  TableOptions options = parse_table_format(sources_.format);
  if (!label.empty()) {
    options.format = TableFormat::kLines;
    options.label = label;
  }
  if (!sources_.labels_required) {
    options.otherwise = TableFormat::kLines;
    options.known_column = sources_.text_column;
  }
  const bool recognised = options.format == TableFormat::kAuto;
  if (table_) blank_lines_before_ += table_->blank_lines();
  table_ = std::make_unique<TableReader>(path, options);
  // Forms with columns of their own (fastText, lines) are not asked for the names that the user gave.
  const bool own = table_->format() == TableFormat::kFastText || table_->format() == TableFormat::kLines;
  if (own && sources_.labels_required && table_->format() == TableFormat::kLines && label.empty()) {
    fail(Code::kData, "{}: lines of text have no label; give one file per class as label=path", path);
  }
  if (recognised && table_->format() == TableFormat::kLines) plain_.push_back(path);
  const std::string label_column = own ? "label" : sources_.label_column;
  text_index_ = table_->column_index(own ? "text" : sources_.text_column,
                                     "--text-column names another, --format lines reads plain text");
  const bool labelled = sources_.labels_required || table_->has_column(label_column);
  label_index_ = labelled ? table_->column_index(label_column, "--label-column names another") : -1;
}

bool LabelledReader::next(LabelledRow& row) {
  while (!table_ || !table_->next(row_)) {
    if (next_source_ == sources_.sources.size()) return false;
    open(sources_.sources[next_source_++]);
  }
  row.source = static_cast<std::int64_t>(next_source_) - 1;
  row.line = row_.line;
  row.text = row_.cells[static_cast<std::size_t>(text_index_)];
  row.label = label_index_ < 0 ? "" : trim_blanks(row_.cells[static_cast<std::size_t>(label_index_)]);
  if (sources_.labels_required && row.label.empty()) {
    fail(Code::kData, "{}:{}: column '{}' is empty, expected a label", table_->path(), row.line,
         table_->columns()[static_cast<std::size_t>(label_index_)]);
  }
  return true;
}

std::int64_t LabelledReader::blank_lines() const { return blank_lines_before_ + (table_ ? table_->blank_lines() : 0); }

}  // namespace carousel
