// gzip.h: reading a file that may be compressed, and compressing.
//
// A GzipReader owns the open file and one buffer. A file that does not start with gzip's magic number (1f 8b) passes
// through unchanged; members that follow each other (RFC 1952, 2.2) are read as one content, zero padding after the
// last is ignored. A damaged or truncated stream throws Error{kData} with the path.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace carousel {

class GzipReader {
 public:
  explicit GzipReader(const std::string& path);  // opens it through file_system()
  ~GzipReader();

  std::size_t read(std::span<std::byte> out);  // bytes of content; 0 at the end

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// One gzip member holding `bytes`, without a time stamp, so that the same bytes give the same result.
std::string gzip_compress(std::string_view bytes);

}  // namespace carousel
