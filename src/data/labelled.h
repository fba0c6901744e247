// labelled.h: texts with labels, from one or several files of any table format; what the classify task reads.
//
// A source is a path, or "label=path": a file with one text per line, all of that label. Memory is one row. Errors are
// those of table.h; an empty label is Error{kData} with file and line. An empty text is a row, so that rows stay in
// step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/table.h"

namespace carousel {

struct LabelledSources {
  std::vector<std::string> sources;  // paths or label=path
  std::string format = "";           // a name of parse_table_format; "": recognised
  std::string text_column = "text", label_column = "label";
  bool labels_required = true;  // false: rows without label (to predict) get the label "", and plain text is read
};

struct LabelledRow {
  std::string_view text, label;  // valid until the next row is read
  std::int64_t source = 0;       // index of the source
  std::int64_t line = 0;         // in its file
};

// The label and the path of "label=path"; the label is "" for a path alone. A '=' behind the first '/' belongs to the
// path.
std::pair<std::string, std::string> split_source(const std::string& source);

class LabelledReader {
 public:
  explicit LabelledReader(LabelledSources sources);
  bool next(LabelledRow& row);
  std::int64_t blank_lines() const;  // passed over, in all sources so far
  // The files so far that were taken as a text in each line, as neither ending nor first line says what they are; where
  // labels are required there are none.
  const std::vector<std::string>& plain_files() const { return plain_; }

 private:
  void open(const std::string& source);
  LabelledSources sources_;
  std::unique_ptr<TableReader> table_;
  Row row_;
  std::vector<std::string> plain_;
  std::size_t next_source_ = 0;
  std::int64_t text_index_ = 0, label_index_ = -1, blank_lines_before_ = 0;
};

}  // namespace carousel
