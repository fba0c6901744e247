// file_lock.h: a file that one process at a time may hold.
#pragma once

#include <string>

namespace carousel {

// Holds the file while it lives; the system lets go of it when the process ends, however it ends. Throws Error{kIo} if
// another process holds it or if it cannot be opened.
class FileLock {
 public:
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace carousel
