// row_writer.h: rows of predictions as CSV (RFC 4180) or as JSON lines.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tasks/task.h"

namespace carousel::cli {

enum class RowFormat { kCsv, kJsonLines };

// Hands each finished line, with its line end, to `write`, each note to `note`.
class RowWriter final : public RowSink {
 public:
  using Take = std::function<void(std::string_view)>;
  RowWriter(RowFormat format, Take write, Take note);

  void note(const std::string& message) override { note_(message); }
  void header(const std::vector<std::string>& columns) override;
  void row(const std::vector<std::string>& cells) override;  // throws Error{kInternal} if it does not fit the header
  void row(const std::vector<std::string>& cells, const std::vector<std::string>& values) override;

 private:
  RowFormat format_;
  Take write_, note_;
  std::vector<std::string> columns_;
};

// One CSV line without its end: cells with a comma, a quote or a line break are quoted.
std::string csv_line(const std::vector<std::string>& cells);

// {"schema": 1, column: cell ...}: cells that are finite numbers become numbers, except in the columns of names (label,
// prediction of a label, text, id, time), which stay texts.
// `values`, if there are any, are as in RowSink.
std::string json_line(const std::vector<std::string>& columns, const std::vector<std::string>& cells,
                      const std::vector<std::string>& values = {});

}  // namespace carousel::cli
