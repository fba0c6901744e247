#include "base/aligned.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace carousel {
namespace {

constexpr std::size_t kLarge = kLargeBlock / sizeof(float);  // elements of the smallest large block

// Oracle: the promises of aligned.h, below, at and above the size from which on a block has pages of its own.
TEST(Aligned, BlocksAreAlignedAndLargeOnesAreZero) {
  AlignedAllocator<float> allocator;
  for (const std::size_t count : {std::size_t{1}, kLarge - 1, kLarge, kLarge + 1, 3 * kLarge + 1000}) {
    float* const block = allocator.allocate(count);
    const bool is_large = AlignedAllocator<float>::gives_zeros(count);
    EXPECT_EQ(is_large, count >= kLarge);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % (is_large ? kLargeBlock : kAlignment), 0U) << count;
    const auto is_zero = [](float value) { return value == 0; };
    if (is_large) {
      EXPECT_TRUE(std::all_of(block, block + count, is_zero)) << count;
    }
    std::fill_n(block, count, 1.0f);  // all of it may be written
    allocator.deallocate(block, count);
  }
}

// Oracle: the address space of 128 TiB. 40,000 blocks of 4 GiB do not fit it unless they are given back whole.
TEST(Aligned, LargeBlocksAreGivenBack) {
  constexpr std::size_t kBytes = std::size_t{4} << 30;
  for (int k = 0; k < 40'000; ++k) {
    void* const block = allocate_pages(kBytes + static_cast<std::size_t>(k % 5000));
    free_pages(block, kBytes + static_cast<std::size_t>(k % 5000));
  }
}

TEST(Aligned, MoreThanThereIsIsAnError) {
  EXPECT_THROW(allocate_pages(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
  EXPECT_THROW(allocate_pages(std::size_t{1} << 50), std::bad_alloc);
}

}  // namespace
}  // namespace carousel
