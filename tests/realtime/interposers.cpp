#include "tests/realtime/interposers.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace {

thread_local bool forbidden = false;

void check() noexcept {
  if (!forbidden) return;
  syscall(SYS_exit, carousel::kForbiddenStatus);  // the one way out that strict seccomp leaves
}

}  // namespace

extern "C" {

// glibc's own, under the names that it keeps for programs which replace them.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) {
  check();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  check();
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  check();
  return __libc_realloc(memory, size);
}
void free(void* memory) {
  check();
  __libc_free(memory);
}
int pthread_mutex_lock(pthread_mutex_t* mutex) {
  check();
  using Lock = int (*)(pthread_mutex_t*);
  static const Lock next = reinterpret_cast<Lock>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  return next(mutex);
}
}

namespace carousel {

ForbiddenZone::ForbiddenZone() noexcept { forbidden = true; }
ForbiddenZone::~ForbiddenZone() { forbidden = false; }

}  // namespace carousel
