// aligned.h: memory aligned to 64 bytes (a cache line, and the widest vector).
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace carousel {

inline constexpr std::size_t kAlignment = 64;

template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(kAlignment)));
  }
  void deallocate(T* pointer, std::size_t) noexcept { ::operator delete(pointer, std::align_val_t(kAlignment)); }
  bool operator==(const AlignedAllocator&) const noexcept { return true; }
};

}  // namespace carousel
