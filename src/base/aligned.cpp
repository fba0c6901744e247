#include "base/aligned.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <limits>

namespace carousel {

void* allocate_pages(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  // One block more than asked for, so that an aligned piece is inside; what lies around it goes back.
  void* const mapped = ::mmap(nullptr, bytes + kLargeBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const start = static_cast<std::byte*>(mapped);
  const std::size_t before = (kLargeBlock - reinterpret_cast<std::uintptr_t>(start) % kLargeBlock) % kLargeBlock;
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t kept = (bytes + page - 1) / page * page;
  if (before > 0) ::munmap(start, before);
  if (before + kept < bytes + kLargeBlock) ::munmap(start + before + kept, bytes + kLargeBlock - before - kept);
  ::madvise(start + before, kept, MADV_HUGEPAGE);  // a wish: small pages do as well
  return start + before;
}

void free_pages(void* pages, std::size_t bytes) noexcept { ::munmap(pages, bytes); }

}  // namespace carousel
