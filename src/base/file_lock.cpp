#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/fail.h"

namespace carousel {

FileLock::FileLock(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail(Code::kIo, "{}: cannot open: {}", path, std::generic_category().message(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  ::close(descriptor_);
  if (reason == EWOULDBLOCK) fail(Code::kIo, "{}: another process works with it; wait for its end, or end it", path);
  fail(Code::kIo, "{}: cannot lock: {}", path, std::generic_category().message(reason));
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace carousel
