// file.h: the file layer. All reading and writing of the house goes through the one FileSystem below, so that tests
// can put a failing one in its place (disk full, short read, lost rename).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

// An open file. Errors throw Error{kIo} that names the path and the system's reason.
class File {
 public:
  virtual ~File() = default;
  virtual std::size_t read(std::span<std::byte> out) = 0;  // bytes read; 0 at the end
  virtual void write(std::span<const std::byte> bytes) = 0;
  virtual void sync() = 0;   // fsync
  virtual void close() = 0;  // reports a late write error; the destructor closes silently
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual std::unique_ptr<File> open_read(const std::string& path) = 0;   // "-" is standard input
  virtual std::unique_ptr<File> open_write(const std::string& path) = 0;  // creates or truncates
  virtual std::unique_ptr<File> open_append(const std::string& path) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  virtual void remove(const std::string& path) = 0;  // no error if it is not there
  virtual void sync_folder(const std::string& path) = 0;
  virtual void make_folders(const std::string& path) = 0;  // no error if they are there
  virtual bool exists(const std::string& path) = 0;
  virtual bool is_folder(const std::string& path) = 0;
  virtual std::int64_t size(const std::string& path) = 0;
};

// The file system in use. set_file_system returns the one before; null puts the real one back.
FileSystem& file_system();
FileSystem* set_file_system(FileSystem* replacement);

// The whole file as it is on disk / decompressed if it starts with gzip's magic number. Throws Error{kIo} if it cannot
// be opened or read, Error{kData} if the gzip stream is damaged or truncated, or larger than `limit` bytes.
std::string read_file(const std::string& path);
std::string read_text(const std::string& path, std::int64_t limit = std::int64_t{1} << 40);

// Writes `bytes` so that at every moment `path` holds either the old content or the new: temporary file beside it,
// fsync, rename, fsync of the folder. On an error the temporary is removed and the old file is untouched. A symbolic
// link keeps its name and its target is replaced; what is no regular file (a device, a pipe) is written in place.
void write_file_atomically(const std::string& path, std::string_view bytes);

// The same for what is written piece by piece: the file takes the place of `path` in commit(). Without that it leaves
// nothing behind.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void finish();  // all is on disk, and the old file still in its place
  void commit();  // finish(), if that was not called, and the change of places

 private:
  std::string path_, temporary_;  // temporary_ is empty where the file is written in place
  std::unique_ptr<File> file_;
  bool done_ = false;
};

// Reads lines one after another, decompressing gzip as it goes; memory is one buffer and one line.
class LineReader {
 public:
  explicit LineReader(const std::string& path, std::int64_t max_line_bytes = std::int64_t{64} << 20);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  // The next line without its end (LF or CRLF); a UTF-8 byte-order mark before the first line is dropped. False at the
  // end of the file. Throws like read_text, with the line number.
  bool next(std::string& line);
  std::int64_t line_number() const;  // of the last line given, from 1
  const std::string& path() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace carousel
