// table_rows.h: how the rows of each form of table are taken from its lines; the inside of TableReader.
//
// A parser is made from the lines at their start, reads the header (or looks at the first row) and then gives row after
// row. It owns the bytes of the current row; the cells point into them. One function per form makes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/lines.h"
#include "data/table.h"

namespace carousel {

class RowParser {
 public:
  virtual ~RowParser() = default;
  virtual bool next(CheckedLines& lines, Row& row) = 0;

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::string>& nested_keys() const { return nested_keys_; }

 protected:
  std::vector<std::string> columns_, nested_keys_;
};

// `forced`: the user said that this is the form. If it is only a guess, a quoted field of TSV that holds tabs and runs
// over several lines is refused: it is more likely a file without quotation whose rows would be swallowed.
std::unique_ptr<RowParser> make_delimited_parser(CheckedLines& lines, char delimiter, const TableOptions& options,
                                                 bool forced);
std::unique_ptr<RowParser> make_space_parser(CheckedLines& lines, const TableOptions& options);
std::unique_ptr<RowParser> make_json_parser(CheckedLines& lines);
std::unique_ptr<RowParser> make_fasttext_parser();
std::unique_ptr<RowParser> make_lines_parser(const std::string& label);

// The first row of a form that may have a header: it names the columns, or it is a row like the others.
class FirstRow {
 public:
  Row row;  // read into it, then ask for the names

  // The header's cells (an empty one is named by its place), or c1 .. cn. It is the header by `header` or (kAuto)
  // because not all its cells are numbers or missing. Throws Error{kData} if a name occurs twice.
  std::vector<std::string> names(const CheckedLines& lines, Header header);

  // Whether it is the next row to give; then it is given, once.
  bool take(Row& next);

 private:
  bool pending_ = false;
};

// Throws Error{kData} if the row has not one cell for each column.
void check_width(const CheckedLines& lines, const Row& row, const std::vector<std::string>& columns);

}  // namespace carousel
