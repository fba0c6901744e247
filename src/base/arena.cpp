#include "base/arena.h"

#include <algorithm>
#include <new>

#include "base/aligned.h"

namespace carousel {

namespace {
constexpr std::size_t kFirstChunk = std::size_t{1} << 20;
constexpr std::size_t kMaxDoublings = 10;
}  // namespace

Arena::~Arena() {
  for (const Chunk& chunk : chunks_) AlignedAllocator<std::byte>().deallocate(chunk.data, chunk.size);
}

void* Arena::allocate_bytes(std::size_t bytes) {
  if (bytes > std::size_t{1} << 60) throw std::bad_alloc();
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  if (chunks_.empty() || chunks_[current_].size - used_ < rounded) {
    std::size_t next = chunks_.empty() ? 0 : current_ + 1;
    while (next < chunks_.size() && chunks_[next].size < rounded) ++next;
    const std::size_t before = chunks_.empty() ? 0 : chunks_[current_].before + used_;
    if (next == chunks_.size()) add_chunk(rounded);
    chunks_[next].before = before;
    current_ = next;
    used_ = 0;
  }
  void* result = chunks_[current_].data + used_;
  used_ += rounded;
  peak_ = std::max(peak_, chunks_[current_].before + used_);
  return result;
}

void Arena::add_chunk(std::size_t bytes) {
  const std::size_t size = std::max(bytes, kFirstChunk << std::min(chunks_.size(), kMaxDoublings));
  chunks_.reserve(chunks_.size() + 1);
  chunks_.push_back({AlignedAllocator<std::byte>().allocate(size), size, 0});
}

void Arena::rewind(Mark mark) noexcept {
  current_ = mark.chunk;
  used_ = mark.used;
}

std::size_t Arena::capacity() const noexcept {
  std::size_t bytes = 0;
  for (const Chunk& chunk : chunks_) bytes += chunk.size;
  return bytes;
}

}  // namespace carousel
