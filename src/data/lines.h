// lines.h: the lines of a data file, checked to be UTF-8, with one line of look-ahead.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"

namespace carousel {

class CheckedLines {
 public:
  explicit CheckedLines(const std::string& path) : reader_(path) {}

  // The next line without its end; false at the end of the file. Throws Error{kData} that names file, line and byte if
  // it is not UTF-8, and what LineReader throws.
  bool next(std::string& line);

  // The same, passing over lines of blanks only and counting them.
  bool next_filled(std::string& line);

  // Gives `line`, the last one read, again at the next call. One line at most.
  void push_back(std::string line);

  std::int64_t line_number() const { return reader_.line_number(); }  // of the last line given, from 1
  std::int64_t blank_lines() const { return blank_lines_; }
  const std::string& path() const { return reader_.path(); }

 private:
  LineReader reader_;
  std::string pending_;
  bool has_pending_ = false;
  std::int64_t blank_lines_ = 0;
};

}  // namespace carousel
