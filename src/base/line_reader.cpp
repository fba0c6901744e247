#include <array>
#include <cstring>

#include "base/fail.h"
#include "base/file.h"
#include "base/gzip.h"

namespace carousel {

std::string read_text(const std::string& path, std::int64_t limit) {
  GzipReader reader(path);
  std::string content;
  std::array<std::byte, 1 << 16> buffer;
  while (const std::size_t count = reader.read(buffer)) {
    if (count > static_cast<std::uint64_t>(limit) - content.size()) {
      fail(Code::kData, "{}: content is larger than {} bytes, the limit here", path, limit);
    }
    content.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return content;
}

struct LineReader::Implementation {
  Implementation(const std::string& where, std::int64_t max_bytes) : path(where), limit(max_bytes), reader(where) {}

  bool fill() {
    try {
      begin = 0;
      end = reader.read(std::as_writable_bytes(std::span(buffer)));
    } catch (const Error& error) {
      fail(error.code(), "{} (while reading line {})", error.what(), number + 1);
    }
    return end > 0;
  }

  bool next(std::string& line) {
    line.clear();
    bool found = false, any = false;
    while (!found && (begin < end || fill())) {
      any = true;
      const char* start = buffer.data() + begin;
      const auto* stop = static_cast<const char*>(std::memchr(start, '\n', end - begin));
      found = stop != nullptr;
      const std::size_t length = found ? static_cast<std::size_t>(stop - start) : end - begin;
      if (line.size() + length > static_cast<std::uint64_t>(limit)) {
        fail(Code::kData, "{}:{}: line is longer than {} bytes, the limit here", path, number + 1, limit);
      }
      line.append(start, length);
      begin += length + (found ? 1 : 0);
    }
    if (!any) return false;
    if (found && line.ends_with('\r')) line.pop_back();
    if (++number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    return true;
  }

  std::string path;
  std::int64_t limit;
  GzipReader reader;
  std::array<char, 1 << 16> buffer;  // [begin, end) is not used up yet
  std::size_t begin = 0, end = 0;
  std::int64_t number = 0;
};

LineReader::LineReader(const std::string& path, std::int64_t max_line_bytes)
    : implementation_(std::make_unique<Implementation>(path, max_line_bytes)) {}
LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

bool LineReader::next(std::string& line) { return implementation_->next(line); }
std::int64_t LineReader::line_number() const { return implementation_->number; }
const std::string& LineReader::path() const { return implementation_->path; }

}  // namespace carousel
