// temporary_folder.h: a folder of its own for one test, removed with everything in it at the end, and the quick way to
// put a file there (not atomic and not synced to disk, unlike write_file_atomically).
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/file.h"

namespace carousel {

inline void put_file(const std::string& path, std::string_view bytes) {
  file_system().remove(path);  // a file that is truncated and closed is written to disk at once on some file systems
  const auto file = file_system().open_write(path);
  file->write(std::as_bytes(std::span(bytes)));
  file->close();
}

class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "carousel-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace carousel
