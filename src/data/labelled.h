// labelled.h: texts with labels, from one or several files of any table format; what the classify task reads.
//
// A source is a path, or "label=path": a file with one text per line, all of that label. Two ways in: row by row
// (LabelledReader, the memory is one row), or all at once (read_labelled_texts). Errors are those of table.h; an empty
// label is Error{kData} with file and line. An empty text is kept, so that rows stay in step, and counted.
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
  std::string format;                // a name of parse_table_format; "": recognised
  std::string text_column = "text", label_column = "label";
  bool labels_required = true;  // false: rows without label (to predict) get the label ""
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

 private:
  void open(const std::string& source);
  LabelledSources sources_;
  std::unique_ptr<TableReader> table_;
  Row row_;
  std::size_t next_source_ = 0;
  std::int64_t text_index_ = 0, label_index_ = -1, blank_lines_before_ = 0;
};

struct LabelledTexts {
  std::vector<std::string> texts;
  std::vector<std::int32_t> labels;      // index into label_names; -1 without label
  std::vector<std::string> label_names;  // ordered by their bytes
  std::vector<std::int64_t> lines;       // of each text in its file
  std::int64_t blank_lines = 0;          // passed over
  std::int64_t empty_texts = 0;          // kept: texts of blanks only
};

LabelledTexts read_labelled_texts(const LabelledSources& sources);

// Sorts the names and gives every label id its new place; what makes the ids independent of the order of the rows.
void sort_labels(std::vector<std::string>& names, std::vector<std::int32_t>& labels);

}  // namespace carousel
