// table.h: labelled rows and columns of numbers, read from disk row by row.
//
// A TableReader gives the rows of one file, whatever its form: CSV and TSV (RFC 4180 quotes, also with line breaks
// inside them), JSON lines, fastText lines, one text per line, or columns set apart by blanks; each also through gzip.
// Its memory is one row: what the caller keeps is what is kept. The form is recognised by the ending of the name and
// the first line, or forced. The text is checked to be UTF-8. Errors: Error{kData} that starts with "file:line:" for
// what is in the file, Error{kIo} if it cannot be read, Error{kUsage} for an unknown format name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

enum class TableFormat {
  kAuto,
  kCsv,        // separated by ',' ';' or tab, whichever the first line has most of
  kTsv,        // separated by tabs
  kJsonLines,  // one flat object per line; the first one gives the columns
  kFastText,   // `__label__x text`: columns label, text
  kLines,      // every line is one text: columns label (TableOptions::label), text
  kSpace,      // separated by runs of blanks
};

enum class Header {
  kAuto,  // the first row is the header unless all its cells are numbers or missing
  kPresent,
  kAbsent,  // the columns are c1, c2 ... cn
};

struct TableOptions {
  TableFormat format = TableFormat::kAuto;
  Header header = Header::kAuto;
  bool quotes = true;   // kCsv, kTsv: false takes quotation marks as they are
  bool ragged = false;  // kCsv, kTsv, kSpace: rows may be shorter or longer than the header
  std::string label;    // kLines: the label of every row
  // kAuto: the form of a file whose ending and first line do not tell; kAuto again: that is an error.
  TableFormat otherwise = TableFormat::kAuto;
  // With `otherwise`: commas and semicolons, which sentences have too, tell of a table only if the first line has this
  // cell.
  std::string known_column;
};

// The options of a name on the command line: "" (auto), csv, tsv, jsonl, fasttext, lines, space; csv and tsv also with
// -no-header and -no-quotes behind it. Throws Error{kUsage} that lists them.
TableOptions parse_table_format(std::string_view name);

struct Row {
  std::int64_t line = 0;                // where the row starts in the file, from 1
  std::vector<std::string_view> cells;  // one per column; valid until the next row is read
};

class RowParser;
class CheckedLines;

class TableReader {
 public:
  explicit TableReader(const std::string& path, TableOptions options = {});
  ~TableReader();
  TableReader(TableReader&&) noexcept;
  TableReader& operator=(TableReader&&) noexcept;

  const std::string& path() const;
  TableFormat format() const { return options_.format; }  // never kAuto
  const std::vector<std::string>& columns() const;
  const std::vector<std::string>& nested_keys() const;  // keys of JSON lines that hold objects or lists: no columns
  std::int64_t blank_lines() const;                     // lines passed over so far because nothing is on them

  // The next row; false at the end. A missing key of JSON lines, and null, is an empty cell.
  bool next(Row& row);

  // The place of the column. Throws Error{kData} that names the file, the column, the nearest one and all there are,
  // and gives the advice.
  std::int64_t column_index(std::string_view name, std::string_view advice = {}) const;
  bool has_column(std::string_view name) const;

 private:
  TableOptions options_;
  std::unique_ptr<CheckedLines> lines_;
  std::unique_ptr<RowParser> parser_;
};

}  // namespace carousel
