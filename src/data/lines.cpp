#include "data/lines.h"

#include <utility>

#include "base/fail.h"
#include "data/number.h"
#include "data/text/utf8.h"

namespace carousel {

bool CheckedLines::next(std::string& line) {
  if (has_pending_) {
    has_pending_ = false;
    line.swap(pending_);
    return true;
  }
  if (!reader_.next(line)) return false;
  if (const auto at = find_invalid_utf8(line)) {
    fail(Code::kData, "{}:{}: invalid UTF-8 at byte {} of the line (0x{:02x}); convert the file to UTF-8", path(),
         line_number(), *at + 1, static_cast<unsigned char>(line[static_cast<std::size_t>(*at)]));
  }
  return true;
}

bool CheckedLines::next_filled(std::string& line) {
  while (next(line)) {
    if (!trim_blanks(line).empty()) return true;
    ++blank_lines_;
  }
  return false;
}

void CheckedLines::push_back(std::string line) {
  CAROUSEL_ASSERT(!has_pending_);
  pending_ = std::move(line);
  has_pending_ = true;
}

}  // namespace carousel
