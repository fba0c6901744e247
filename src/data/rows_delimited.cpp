// rows_delimited.cpp: CSV and TSV after RFC 4180: a field may stand in quotation marks, and then holds delimiters, line
// breaks (given as LF) and, doubled, quotation marks. A mark inside an unquoted field is an ordinary character.
#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/table_rows.h"

namespace carousel {
namespace {

constexpr std::size_t kMaxRecordBytes = std::size_t{64} << 20;  // one row, all lines of its quoted fields together

class DelimitedParser : public RowParser {
 public:
  DelimitedParser(CheckedLines& lines, char delimiter, const TableOptions& options, bool forced)
      : delimiter_(delimiter), quotes_(options.quotes), ragged_(options.ragged), forced_(forced) {
    read_record(lines, first_.row);
    columns_ = first_.names(lines, options.header);
  }

  bool next(CheckedLines& lines, Row& row) override {
    if (first_.take(row)) return true;
    if (!read_record(lines, row)) return false;
    if (!ragged_) check_width(lines, row, columns_);
    return true;
  }

 private:
  bool read_record(CheckedLines& lines, Row& row) {
    if (!lines.next_filled(record_)) return false;
    row.line = lines.line_number();
    fields_.clear();
    for (std::size_t at = 0; at <= record_.size();) {
      const bool quoted = quotes_ && at < record_.size() && record_[at] == '"';
      at = quoted ? read_quoted(lines, row.line, at) : read_plain(at);
    }
    row.cells.clear();
    for (const auto& [begin, end] : fields_) row.cells.emplace_back(record_.data() + begin, end - begin);
    return true;
  }

  // Each reads the field that starts at `at` and returns where the next one starts (past the end if there is none).
  std::size_t read_plain(std::size_t at) {
    const std::size_t end = std::min(record_.find(delimiter_, at), record_.size());
    fields_.emplace_back(at, end);
    return end + 1;
  }

  std::size_t read_quoted(CheckedLines& lines, std::int64_t row_line, std::size_t at) {
    const std::int64_t start_line = lines.line_number();
    const std::size_t close = closing_quote(lines, at);
    const bool tabs = std::string_view(record_).substr(at, close - at).find('\t') != std::string_view::npos;
    if (delimiter_ == '\t' && !forced_ && lines.line_number() != start_line && tabs) {
      fail(Code::kData,
           "{}:{}: the quoted field {} holds tabs and runs to line {}; if the file does not quote, say --format "
           "tsv-no-quotes, if it does, --format tsv",
           lines.path(), start_line, fields_.size() + 1, lines.line_number());
    }
    if (close + 1 < record_.size() && record_[close + 1] != delimiter_) {
      // Plain TSV knows no quotation; a text that merely starts with a quoted word is taken as it is.
      if (delimiter_ == '\t' && lines.line_number() == start_line) return read_plain(at);
      fail(Code::kData,
           "{}:{}: text after the closing quotation mark of field {} (row starts at line {}): '{}'; double the marks "
           "inside a quoted field, or say --format {}-no-quotes",
           lines.path(), lines.line_number(), fields_.size() + 1, row_line,
           shortened(std::string_view(record_).substr(close + 1)), delimiter_ == '\t' ? "tsv" : "csv");
    }
    fields_.emplace_back(at + 1, unescape(at + 1, close));
    return close + 2;
  }

  // The place of the mark that closes the field opened at `open`; reads further lines as needed.
  std::size_t closing_quote(CheckedLines& lines, std::size_t open) {
    const std::int64_t start_line = lines.line_number();
    for (std::size_t at = open + 1;;) {
      const std::size_t mark = record_.find('"', at);
      if (mark == std::string::npos) {
        at = record_.size();
        if (record_.size() > kMaxRecordBytes || !lines.next(line_)) {
          fail(Code::kData,
               "{}:{}: the quotation mark that opens field {} is never closed; double the marks inside a quoted field, "
               "or say --format {}-no-quotes",
               lines.path(), start_line, fields_.size() + 1, delimiter_ == '\t' ? "tsv" : "csv");
        }
        record_ += '\n';
        record_ += line_;
      } else if (mark + 1 < record_.size() && record_[mark + 1] == '"') {
        at = mark + 2;
      } else {
        return mark;
      }
    }
  }

  // Makes every "" in [begin, end) one mark, in place; returns the new end.
  std::size_t unescape(std::size_t begin, std::size_t end) {
    std::size_t out = std::min(record_.find('"', begin), end);
    for (std::size_t in = out; in < end; ++in) {
      record_[out++] = record_[in];
      if (record_[in] == '"') ++in;
    }
    return out;
  }

  char delimiter_;
  bool quotes_, ragged_, forced_;
  std::string record_, line_;
  std::vector<std::pair<std::size_t, std::size_t>> fields_;  // [begin, end) in record_
  FirstRow first_;
};

}  // namespace

std::unique_ptr<RowParser> make_delimited_parser(CheckedLines& lines, char delimiter, const TableOptions& options,
                                                 bool forced) {
  return std::make_unique<DelimitedParser>(lines, delimiter, options, forced);
}

void check_width(const CheckedLines& lines, const Row& row, const std::vector<std::string>& columns) {
  if (row.cells.size() == columns.size()) return;
  fail(Code::kData, "{}:{}: expected {} fields ({}), got {}", lines.path(), row.line, columns.size(), listed(columns),
       row.cells.size());
}

}  // namespace carousel
