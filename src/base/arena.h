// arena.h: memory that is reused from step to step.
//
// An Arena hands out aligned pieces of a few large chunks and takes all of them back at once with reset() or rewind().
// Chunks double in size (1 MiB to 1 GiB); a larger request gets a chunk of its own; none is given back before the end.
// Nothing that lives in it is destroyed one by one, so only trivially destructible types may. After the first step of
// a training loop no chunk is added any more, so the loop allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace carousel {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // `count` elements of T, not initialised, aligned to 64 bytes; valid until reset() or a rewind() past it.
  template <class T>
  T* allocate(std::int64_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(allocate_bytes(static_cast<std::size_t>(count) * sizeof(T)));
  }
  void* allocate_bytes(std::size_t bytes);

  // Before the first allocation: takes one chunk of so many bytes, so that a step which fits touches no memory twice.
  void reserve(std::size_t bytes) {
    if (chunks_.empty() && bytes > 0) add_chunk(bytes);
  }

  struct Mark {
    std::size_t chunk = 0, used = 0;
  };
  Mark mark() const noexcept { return {current_, used_}; }
  void rewind(Mark mark) noexcept;  // everything handed out after the mark is free again
  void reset() noexcept { rewind({}); }

  std::size_t capacity() const noexcept;               // bytes held, in use or not
  std::size_t peak() const noexcept { return peak_; }  // most bytes handed out at one moment, whatever the chunks

 private:
  struct Chunk {
    std::byte* data;
    std::size_t size;
    std::size_t before;  // bytes handed out from the chunks before it
  };
  void add_chunk(std::size_t bytes);  // at the end, of at least `bytes`

  std::vector<Chunk> chunks_;
  std::size_t current_ = 0, used_ = 0, peak_ = 0;
};

}  // namespace carousel
