#include "base/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/fail.h"
#include "base/file.h"

namespace carousel {

namespace {
constexpr int kGzipWindow = 15 + 16;                     // zlib: 32 KiB window, gzip wrapper
constexpr std::size_t kMaxPiece = std::size_t{1} << 30;  // zlib counts in 32 bits
}  // namespace

struct GzipReader::Implementation {
  enum class State { kPlain, kInMember, kBetweenMembers };

  explicit Implementation(const std::string& where) : path(where), file(file_system().open_read(where)) {
    while (end < 2 && fill()) {
    }
    const bool compressed = end - begin >= 2 && buffer[0] == std::byte{0x1f} && buffer[1] == std::byte{0x8b};
    if (!compressed) return;
    if (::inflateInit2(&stream, kGzipWindow) != Z_OK) fail(Code::kInternal, "{}: zlib cannot start", path);
    started = true;
    state = State::kInMember;
  }
  ~Implementation() {
    if (started) ::inflateEnd(&stream);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  // Appends what one read gives to the buffer, which starts over when it is used up; false at the end of the file.
  bool fill() {
    if (begin == end) begin = end = 0;
    const std::size_t count = file->read(std::span(buffer).subspan(end));
    end += count;
    total += count;
    return count > 0;
  }

  std::size_t read_plain(std::span<std::byte> out) {
    if (begin == end) return file->read(out);
    const std::size_t count = std::min(out.size(), end - begin);
    std::memcpy(out.data(), buffer.data() + begin, count);
    begin += count;
    return count;
  }

  // Skips padding up to the next member; false at the end of the file.
  bool next_member() {
    for (;;) {
      if (begin == end && !fill()) return false;
      if (buffer[begin] == std::byte{0}) {
        ++begin;
        continue;
      }
      if (buffer[begin] != std::byte{0x1f}) {
        fail(Code::kData, "{}: byte {}: no gzip data, expected another member or the end", path, total - (end - begin));
      }
      ::inflateReset(&stream);
      state = State::kInMember;
      return true;
    }
  }

  std::size_t read(std::span<std::byte> out) {
    if (out.empty()) return 0;
    if (state == State::kPlain) return read_plain(out);
    for (;;) {
      if (state == State::kBetweenMembers && !next_member()) return 0;
      if (begin == end && !fill()) {
        fail(Code::kData, "{}: gzip data is truncated, the file ends after {} bytes; get the whole file", path, total);
      }
      const std::size_t wanted = std::min(out.size(), kMaxPiece);
      stream.next_in = reinterpret_cast<Bytef*>(buffer.data() + begin);
      stream.avail_in = static_cast<uInt>(end - begin);
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(wanted);
      const int status = ::inflate(&stream, Z_NO_FLUSH);
      begin = end - stream.avail_in;
      if (status == Z_STREAM_END) {
        state = State::kBetweenMembers;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        fail(Code::kData, "{}: gzip data is damaged near byte {}: {}", path, total - (end - begin),
             stream.msg != nullptr ? stream.msg : "checksum or length differs");
      }
      const std::size_t count = wanted - stream.avail_out;
      if (count > 0) return count;
    }
  }

  std::string path;
  std::unique_ptr<File> file;
  std::array<std::byte, 1 << 16> buffer;  // [begin, end) is not used up yet
  std::size_t begin = 0, end = 0, total = 0;
  State state = State::kPlain;
  bool started = false;
  ::z_stream stream{};
};

GzipReader::GzipReader(const std::string& path) : implementation_(std::make_unique<Implementation>(path)) {}
GzipReader::~GzipReader() = default;

std::size_t GzipReader::read(std::span<std::byte> out) { return implementation_->read(out); }

std::string gzip_compress(std::string_view bytes) {
  ::z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    fail(Code::kInternal, "zlib cannot start");
  }
  std::string result;
  std::array<Bytef, 1 << 16> piece;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const std::size_t given = std::min(bytes.size(), kMaxPiece);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = piece.data();
    stream.avail_out = static_cast<uInt>(piece.size());
    status = ::deflate(&stream, given == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    bytes.remove_prefix(given - stream.avail_in);
    result.append(reinterpret_cast<const char*>(piece.data()), piece.size() - stream.avail_out);
  }
  ::deflateEnd(&stream);
  return result;
}

}  // namespace carousel
