// allocation_counter.h: counts how often any thread asks the heap for memory through new.
//
// A test program that uses it gets its own global operator new and delete. Counting is on while at least one
// AllocationCounter lives; each counts from its own start.
#pragma once

#include <cstdint>

namespace carousel {

class AllocationCounter {
 public:
  AllocationCounter() noexcept;
  ~AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  std::int64_t count() const noexcept;  // allocations since it was made
  std::int64_t bytes() const noexcept;  // bytes asked for since it was made
  // The most bytes held at one moment since then, beyond what was held at the start. For one counter at a time.
  std::int64_t peak() const noexcept;

 private:
  std::int64_t first_count_, first_bytes_;
};

}  // namespace carousel
