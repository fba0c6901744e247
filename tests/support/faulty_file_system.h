// faulty_file_system.h: the real file system with faults that a test switches on, in use while the object lives.
//
//   FaultyFileSystem files;
//   files.bytes_until_full = 100;      // the disk is full after that many bytes
//   EXPECT_THROW(write_file_atomically(path, text), Error);
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/fail.h"
#include "base/file.h"

namespace carousel {

class FaultyFileSystem final : public FileSystem {
 public:
  FaultyFileSystem() : real_(file_system()), before_(set_file_system(this)) {}
  ~FaultyFileSystem() override { set_file_system(before_); }

  std::int64_t bytes_until_full = std::numeric_limits<std::int64_t>::max();  // over all files
  std::size_t bytes_per_read = std::numeric_limits<std::size_t>::max();      // short reads
  std::int64_t bytes_until_read_fails = std::numeric_limits<std::int64_t>::max();
  std::size_t bytes_until_end = std::numeric_limits<std::size_t>::max();  // a file that is cut while it is read
  bool fail_sync = false, fail_close = false, fail_rename = false, fail_sync_folder = false;
  std::vector<std::string> calls;  // "write a", "sync a", "rename a b" ... in order

  std::unique_ptr<File> open_read(const std::string& path) override { return wrap(real_.open_read(path), path); }
  std::unique_ptr<File> open_write(const std::string& path) override { return wrap(real_.open_write(path), path); }
  std::unique_ptr<File> open_append(const std::string& path) override { return wrap(real_.open_append(path), path); }
  void rename(const std::string& from, const std::string& to) override {
    calls.push_back("rename " + from + " " + to);
    if (fail_rename) fail(Code::kIo, "{}: cannot rename: injected fault", to);
    real_.rename(from, to);
  }
  void remove(const std::string& path) override { real_.remove(path); }
  void sync_folder(const std::string& path) override {
    calls.push_back("sync_folder " + path);
    if (fail_sync_folder) fail(Code::kIo, "{}: cannot sync: injected fault", path);
    real_.sync_folder(path);
  }
  void make_folders(const std::string& path) override { real_.make_folders(path); }
  bool exists(const std::string& path) override { return real_.exists(path); }
  bool is_folder(const std::string& path) override { return real_.is_folder(path); }
  std::int64_t size(const std::string& path) override { return real_.size(path); }

 private:
  class FaultyFile final : public File {
   public:
    FaultyFile(FaultyFileSystem& owner, std::unique_ptr<File> file, std::string path)
        : owner_(owner), file_(std::move(file)), path_(std::move(path)) {}

    std::size_t read(std::span<std::byte> out) override {
      const std::size_t most = std::min(owner_.bytes_per_read, owner_.bytes_until_end);
      const std::size_t count = file_->read(out.first(std::min(out.size(), most)));
      owner_.bytes_until_end -= count;
      owner_.bytes_until_read_fails -= static_cast<std::int64_t>(count);
      if (owner_.bytes_until_read_fails < 0) fail(Code::kIo, "{}: cannot read: injected fault", path_);
      return count;
    }
    void write(std::span<const std::byte> bytes) override {
      owner_.calls.push_back("write " + path_);
      const auto room = static_cast<std::size_t>(std::max<std::int64_t>(owner_.bytes_until_full, 0));
      file_->write(bytes.first(std::min(bytes.size(), room)));
      owner_.bytes_until_full -= static_cast<std::int64_t>(bytes.size());
      if (bytes.size() > room) fail(Code::kIo, "{}: cannot write: No space left on device", path_);
    }
    void sync() override {
      owner_.calls.push_back("sync " + path_);
      if (owner_.fail_sync) fail(Code::kIo, "{}: cannot sync: injected fault", path_);
      file_->sync();
    }
    void close() override {
      file_->close();
      if (owner_.fail_close) fail(Code::kIo, "{}: cannot close: injected fault", path_);
    }

   private:
    FaultyFileSystem& owner_;
    std::unique_ptr<File> file_;
    std::string path_;
  };

  std::unique_ptr<File> wrap(std::unique_ptr<File> file, const std::string& path) {
    return std::make_unique<FaultyFile>(*this, std::move(file), path);
  }

  FileSystem& real_;
  FileSystem* before_;
};

}  // namespace carousel
