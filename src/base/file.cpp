#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/fail.h"

namespace carousel {

namespace {

[[noreturn]] void fail_io(const std::string& path, std::string_view action, int reason) {
  fail(Code::kIo, "{}: cannot {}: {}", path, action, std::generic_category().message(reason));
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override {
    if (owned()) ::close(descriptor_);
  }

  std::size_t read(std::span<std::byte> out) override {
    for (;;) {
      const ::ssize_t count = ::read(descriptor_, out.data(), out.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) fail_io(path_, "read", errno);
    }
  }

  void write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ::ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(count));
      } else if (errno != EINTR) {
        fail_io(path_, "write", errno);
      }
    }
  }

  void sync() override {
    if (::fsync(descriptor_) != 0) fail_io(path_, "write to disk", errno);
  }

  void close() override {
    if (!owned()) return;
    if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) fail_io(path_, "close", errno);
  }

 private:
  bool owned() const { return descriptor_ > STDIN_FILENO; }

  std::string path_;
  int descriptor_;
};

class PosixFileSystem final : public FileSystem {
 public:
  std::unique_ptr<File> open_read(const std::string& path) override {
    if (path == "-") return std::make_unique<PosixFile>("standard input", STDIN_FILENO);
    return open(path, O_RDONLY, "open");
  }
  std::unique_ptr<File> open_write(const std::string& path) override {
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, "create");
  }
  std::unique_ptr<File> open_append(const std::string& path) override {
    return open(path, O_WRONLY | O_CREAT | O_APPEND, "open for appending");
  }

  void rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) fail_io(to, "put the new file in place", errno);
  }
  void remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0 && errno != ENOENT) fail_io(path, "remove", errno);
  }
  void sync_folder(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) fail_io(path, "open the folder", errno);
    const int reason = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    if (reason != 0 && reason != EINVAL) fail_io(path, "write the folder to disk", reason);  // EINVAL: not supported
  }
  void make_folders(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) fail_io(path, "make the folder", error.value());
  }

  bool exists(const std::string& path) override {
    struct stat status;
    return ::stat(path.c_str(), &status) == 0;
  }
  bool is_folder(const std::string& path) override {
    struct stat status;
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  }
  std::int64_t size(const std::string& path) override {
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) fail_io(path, "ask for the size", errno);
    return status.st_size;
  }

 private:
  static std::unique_ptr<File> open(const std::string& path, int flags, std::string_view action) {
    int descriptor;
    do {
      descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) fail_io(path, action, errno);
    return std::make_unique<PosixFile>(path, descriptor);
  }
};

std::atomic<FileSystem*> replaced_by{nullptr};

}  // namespace

FileSystem& file_system() {
  static PosixFileSystem real;
  FileSystem* replacement = replaced_by.load();
  return replacement != nullptr ? *replacement : real;
}

FileSystem* set_file_system(FileSystem* replacement) { return replaced_by.exchange(replacement); }

std::string read_file(const std::string& path) {
  const std::unique_ptr<File> file = file_system().open_read(path);
  std::string content;
  content.reserve(file_system().exists(path) ? static_cast<std::size_t>(file_system().size(path)) : 0);
  std::array<std::byte, 1 << 16> buffer;
  while (const std::size_t count = file->read(buffer)) {
    content.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return content;
}

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  static std::atomic<std::uint32_t> serial{0};
  std::error_code unknown;
  const std::filesystem::file_status status = std::filesystem::status(path, unknown);
  const bool exists = std::filesystem::exists(status);
  if (exists && std::filesystem::is_symlink(path, unknown)) path_ = std::filesystem::canonical(path).string();
  if (!exists || std::filesystem::is_regular_file(status)) {
    temporary_ = fmt::format("{}.{}-{}.tmp", path_, ::getpid(), serial.fetch_add(1));
  }
  file_ = file_system().open_write(temporary_.empty() ? path_ : temporary_);
}

AtomicFile::~AtomicFile() {
  if (done_ || temporary_.empty()) return;
  try {
    file_system().remove(temporary_);
  } catch (...) {  // NOLINT: the error that kept commit() from its end is the one to report
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) { file_->write(bytes); }

void AtomicFile::finish() {
  if (!temporary_.empty()) file_->sync();
  file_->close();
  file_.reset();
}

void AtomicFile::commit() {
  if (file_) finish();
  if (temporary_.empty()) return;
  file_system().rename(temporary_, path_);
  done_ = true;
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  file_system().sync_folder(folder.empty() ? "." : folder);
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(bytes)));
  file.commit();
}

}  // namespace carousel
