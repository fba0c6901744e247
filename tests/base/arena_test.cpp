// Oracle: the pieces are filled with a pattern of their own and read back; capacities follow from the doubling rule.
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/support/allocation_counter.h"

namespace carousel {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(Arena, PiecesAreAlignedAndDoNotOverlap) {
  Arena arena;
  std::vector<std::pair<unsigned char*, std::int64_t>> pieces;
  for (std::int64_t size : {1, 63, 64, 65, 0, 1000, 700'000, 600'000, 3'000'000, 7}) {
    auto* piece = arena.allocate<unsigned char>(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece) % 64, 0U) << size;
    std::memset(piece, static_cast<int>(pieces.size()) + 1, static_cast<std::size_t>(size));
    pieces.emplace_back(piece, size);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (std::int64_t k = 0; k < pieces[i].second; ++k) ASSERT_EQ(pieces[i].first[k], i + 1) << "piece " << i;
  }
}

TEST(Arena, ChunksDoubleAndALargeRequestGetsItsOwn) {
  Arena arena;
  EXPECT_EQ(arena.capacity(), 0U);
  arena.allocate<char>(1);
  EXPECT_EQ(arena.capacity(), kMiB);
  arena.allocate<char>(kMiB);
  EXPECT_EQ(arena.capacity(), 3 * kMiB);
  arena.allocate<char>(10 * kMiB);
  EXPECT_EQ(arena.capacity(), 13 * kMiB);
}

TEST(Arena, RewindGivesTheSameMemoryAgain) {
  Arena arena;
  arena.allocate<float>(10);
  const Arena::Mark mark = arena.mark();
  float* first = arena.allocate<float>(100);
  arena.allocate<char>(2 * kMiB);
  arena.rewind(mark);
  EXPECT_EQ(arena.allocate<float>(50), first);
}

TEST(Arena, TheSecondStepAllocatesNothing) {
  Arena arena;
  const auto step = [&] {
    arena.reset();
    for (int i = 0; i < 50; ++i) {
      const Arena::Mark mark = arena.mark();
      arena.allocate<double>(i * 7919);
      if (i % 3 == 0) arena.rewind(mark);
    }
  };
  step();
  const std::size_t capacity = arena.capacity(), peak = arena.peak();
  const AllocationCounter counter;
  step();
  EXPECT_EQ(counter.count(), 0);
  EXPECT_EQ(arena.capacity(), capacity);
  EXPECT_EQ(arena.peak(), peak);
  EXPECT_GT(peak, 49U * 7919U * sizeof(double));
}

// Oracle: the sum of the pieces, each rounded up to 64 bytes.
TEST(Arena, ThePeakIsTheSameWithOneChunkAndWithMany) {
  Arena many, one;
  one.reserve(20 * kMiB);
  EXPECT_EQ(one.capacity(), 20 * kMiB);
  for (Arena* arena : {&many, &one}) {
    arena->allocate<char>(600 * 1024 + 1);
    const Arena::Mark mark = arena->mark();
    for (int k = 0; k < 3; ++k) {
      arena->rewind(mark);
      arena->allocate<char>(700 * 1024);  // does not fit into the first chunk of the one without reserve()
      arena->allocate<char>(9 * kMiB);
    }
    arena->reset();
    EXPECT_EQ(arena->peak(), 600 * 1024 + 64 + 700 * 1024 + 9 * kMiB);
  }
  EXPECT_EQ(one.capacity(), 20 * kMiB);
}

TEST(AllocationCounter, CountsNewOfEveryKind) {
  const AllocationCounter counter;
  std::vector<int> vector(10);
  struct alignas(64) Wide {
    char bytes[64];
  };
  const auto wide = std::make_unique<Wide>();
  EXPECT_EQ(counter.count(), 2);
  EXPECT_EQ(counter.bytes(), 104);
}

}  // namespace
}  // namespace carousel
