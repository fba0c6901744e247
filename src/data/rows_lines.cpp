// rows_lines.cpp: the forms in which a row is exactly one line: fastText, one text per line, columns between blanks.
#include "base/fail.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/table_rows.h"

namespace carousel {
namespace {

class FastTextParser : public RowParser {
 public:
  FastTextParser() { columns_ = {"label", "text"}; }

  bool next(CheckedLines& lines, Row& row) override {
    constexpr std::string_view kPrefix = "__label__";
    if (!lines.next_filled(line_)) return false;
    row.line = lines.line_number();
    std::string_view rest = trim_blanks(line_);
    if (!rest.starts_with(kPrefix)) {
      fail(Code::kData, "{}:{}: expected the line to start with __label__, got '{}'", lines.path(), row.line,
           shortened(rest));
    }
    const std::string_view label = rest.substr(0, rest.find_first_of(" \t")).substr(kPrefix.size());
    if (label.empty()) fail(Code::kData, "{}:{}: the label is empty", lines.path(), row.line);
    rest = trim_blanks(rest.substr(kPrefix.size() + label.size()));
    if (rest.starts_with(kPrefix)) {
      fail(Code::kData, "{}:{}: expected one label per line, got a second one after '{}'", lines.path(), row.line,
           shortened(label));
    }
    row.cells = {label, rest};
    return true;
  }

 private:
  std::string line_;
};

class LinesParser : public RowParser {
 public:
  explicit LinesParser(const std::string& label) : label_(label) { columns_ = {"label", "text"}; }

  bool next(CheckedLines& lines, Row& row) override {
    if (!lines.next_filled(line_)) return false;
    row.line = lines.line_number();
    row.cells = {label_, trim_blanks(line_)};
    return true;
  }

 private:
  std::string label_, line_;
};

class SpaceParser : public RowParser {
 public:
  SpaceParser(CheckedLines& lines, const TableOptions& options) : ragged_(options.ragged) {
    read(lines, first_.row);
    columns_ = first_.names(lines, options.header);
  }

  bool next(CheckedLines& lines, Row& row) override {
    if (first_.take(row)) return true;
    if (!read(lines, row)) return false;
    if (!ragged_) check_width(lines, row, columns_);
    return true;
  }

 private:
  bool read(CheckedLines& lines, Row& row) {
    if (!lines.next_filled(line_)) return false;
    row.line = lines.line_number();
    row.cells.clear();
    for (std::string_view rest = trim_blanks(line_); !rest.empty(); rest = trim_blanks(rest)) {
      row.cells.push_back(rest.substr(0, rest.find_first_of(" \t")));
      rest.remove_prefix(row.cells.back().size());
    }
    return true;
  }

  bool ragged_;
  std::string line_;
  FirstRow first_;
};

}  // namespace

std::unique_ptr<RowParser> make_fasttext_parser() { return std::make_unique<FastTextParser>(); }

std::unique_ptr<RowParser> make_lines_parser(const std::string& label) { return std::make_unique<LinesParser>(label); }

std::unique_ptr<RowParser> make_space_parser(CheckedLines& lines, const TableOptions& options) {
  return std::make_unique<SpaceParser>(lines, options);
}

}  // namespace carousel
