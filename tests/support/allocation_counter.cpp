#include "tests/support/allocation_counter.h"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int> armed{0};
std::atomic<std::int64_t> allocations{0}, allocated_bytes{0}, held{0}, most_held{0};

void* counted(std::size_t size, std::size_t alignment) {
  if (armed.load(std::memory_order_relaxed) > 0) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    allocated_bytes.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  }
  const std::size_t rounded = size == 0 ? alignment : (size + alignment - 1) / alignment * alignment;
  if (rounded < size) throw std::bad_alloc();
  void* memory = alignment <= alignof(std::max_align_t) ? std::malloc(rounded) : std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  if (armed.load(std::memory_order_relaxed) > 0) {
    const auto now = held.fetch_add(static_cast<std::int64_t>(::malloc_usable_size(memory))) +
                     static_cast<std::int64_t>(::malloc_usable_size(memory));
    std::int64_t most = most_held.load();
    while (now > most && !most_held.compare_exchange_weak(most, now)) {
    }
  }
  return memory;
}

void release(void* memory) noexcept {
  if (armed.load(std::memory_order_relaxed) > 0)
    held.fetch_sub(static_cast<std::int64_t>(::malloc_usable_size(memory)));
  std::free(memory);
}

}  // namespace

// Every form that the sources use, because a sanitizer brings its own array and nothrow forms, which would not pair
// with these.
void* operator new(std::size_t size) { return counted(size, 1); }
void* operator new[](std::size_t size) { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return counted(size, 1);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }

namespace carousel {

AllocationCounter::AllocationCounter() noexcept {
  armed.fetch_add(1);
  first_count_ = allocations.load();
  first_bytes_ = allocated_bytes.load();
  held.store(0);
  most_held.store(0);
}
AllocationCounter::~AllocationCounter() { armed.fetch_sub(1); }

std::int64_t AllocationCounter::count() const noexcept { return allocations.load() - first_count_; }
std::int64_t AllocationCounter::bytes() const noexcept { return allocated_bytes.load() - first_bytes_; }
std::int64_t AllocationCounter::peak() const noexcept { return most_held.load(); }

}  // namespace carousel
