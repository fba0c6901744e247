// interposers.h: in this test program malloc, calloc, realloc, free and pthread_mutex_lock end the process with
// kForbiddenStatus while the calling thread is inside a ForbiddenZone.
#pragma once

namespace carousel {

inline constexpr int kForbiddenStatus = 3;

class ForbiddenZone {
 public:
  ForbiddenZone() noexcept;
  ~ForbiddenZone();
  ForbiddenZone(const ForbiddenZone&) = delete;
  ForbiddenZone& operator=(const ForbiddenZone&) = delete;
};

}  // namespace carousel
