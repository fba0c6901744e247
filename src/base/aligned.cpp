#include "base/aligned.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <limits>

namespace carousel {

namespace {

// What a block of so many bytes occupies: whole pages, and a last large page that would be more than half full is taken
// whole, for it costs one fault then and not hundreds.
std::size_t occupied(std::size_t bytes) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t unit = bytes % kLargeBlock > kLargeBlock / 2 ? kLargeBlock : page;
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

void* allocate_pages(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  const std::size_t kept = occupied(bytes);
  // One block more than needed, so that an aligned piece is inside; what lies around it goes back.
  void* const mapped = ::mmap(nullptr, kept + kLargeBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const start = static_cast<std::byte*>(mapped);
  const std::size_t before = (kLargeBlock - reinterpret_cast<std::uintptr_t>(start) % kLargeBlock) % kLargeBlock;
  if (before > 0) ::munmap(start, before);
  if (before < kLargeBlock) ::munmap(start + before + kept, kLargeBlock - before);
  ::madvise(start + before, kept, MADV_HUGEPAGE);  // a wish: small pages do as well
  return start + before;
}

void free_pages(void* pages, std::size_t bytes) noexcept { ::munmap(pages, occupied(bytes)); }

}  // namespace carousel
