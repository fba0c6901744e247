// aligned.h: memory aligned to 64 bytes (a cache line, and the widest vector).
//
// Large blocks come from the system as zero pages, 2 MiB each where it has them: a page costs something only when it is
// first touched, and a 10 MB weight then takes 5 page faults and as many entries of the address cache, not 2500.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace carousel {

inline constexpr std::size_t kAlignment = 64;
inline constexpr std::size_t kLargeBlock = std::size_t{2} << 20;  // bytes from which on a block has pages of its own

// `bytes` zero bytes, at least kLargeBlock, aligned to kLargeBlock. Throws std::bad_alloc.
void* allocate_pages(std::size_t bytes);
void free_pages(void* pages, std::size_t bytes) noexcept;  // the same `bytes`

template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}
  T* allocate(std::size_t count) {
    if (gives_zeros(count)) return static_cast<T*>(allocate_pages(count * sizeof(T)));
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(kAlignment)));
  }
  void deallocate(T* pointer, std::size_t count) noexcept {
    if (gives_zeros(count)) return free_pages(pointer, count * sizeof(T));
    ::operator delete(pointer, std::align_val_t(kAlignment));
  }
  // Whether a block of `count` elements is a large one, which is zero when it is new.
  static bool gives_zeros(std::size_t count) noexcept { return count >= kLargeBlock / sizeof(T); }
  bool operator==(const AlignedAllocator&) const noexcept { return true; }
};

}  // namespace carousel
