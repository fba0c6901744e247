// Oracle: the same loop on one thread; counts of how often each task ran.
#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <numeric>
#include <thread>
#include <vector>

#include "base/fail.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

class ThreadPool : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_threads(GetParam()); }
  void TearDown() override { set_threads(0); }
};

TEST_P(ThreadPool, RunsEachTaskOnce) {
  EXPECT_EQ(threads(), GetParam());
  for (std::int64_t count : {0, 1, 2, 3, 17, 1000}) {
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
    parallel_for(count, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
    for (const auto& run : runs) ASSERT_EQ(run.load(), 1);
  }
}

// Many short jobs one after another, with pauses longer and shorter than the spin, so that workers sleep and wake.
TEST_P(ThreadPool, ResultsOfOneJobAreSeenByTheNext) {
  std::vector<std::int64_t> values(37, 0);
  for (int job = 0; job < 3000; ++job) {
    parallel_for(37, [&](std::int64_t i) { values[static_cast<std::size_t>(i)] += i; });
    if (job % 500 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  for (std::int64_t i = 0; i < 37; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], 3000 * i);
}

TEST_P(ThreadPool, ANestedCallRunsInOrderOnTheSameThread) {
  std::atomic<int> wrong{0};
  parallel_for(8, [&](std::int64_t) {
    const auto self = std::this_thread::get_id();
    std::int64_t expected = 0;
    parallel_for(20, [&](std::int64_t i) {
      if (i != expected++ || std::this_thread::get_id() != self) ++wrong;
    });
  });
  EXPECT_EQ(wrong.load(), 0);
}

TEST_P(ThreadPool, TheExceptionOfTheLowestTaskIsThrownAfterAllHaveEnded) {
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::atomic<int> running{0};
    expect_error(Code::kData, {"task 5"}, [&] {
      parallel_for(50, [&](std::int64_t i) {
        ++running;
        if (i == 5) std::this_thread::yield();
        const bool bad = i >= 5;
        --running;
        if (bad) fail(Code::kData, "task {}.", i);
      });
    });
    ASSERT_EQ(running.load(), 0);
  }
  std::atomic<int> runs{0};
  parallel_for(10, [&](std::int64_t) { ++runs; });
  EXPECT_EQ(runs.load(), 10);
}

TEST_P(ThreadPool, AllocatesNothing) {
  std::vector<double> sums(64);
  const auto job = [&] { parallel_for(64, [&](std::int64_t i) { sums[static_cast<std::size_t>(i)] += 1.0; }); };
  job();
  const AllocationCounter counter;
  for (int i = 0; i < 100; ++i) job();
  EXPECT_EQ(counter.count(), 0);
}

// Oracle: the smallest normal number halves to zero, whoever runs the task.
TEST_P(ThreadPool, EveryThreadFlushesDenormals) {
  volatile float smallest = std::numeric_limits<float>::min();
  std::atomic<int> wrong{0};
  parallel_for(64, [&](std::int64_t) {
    std::this_thread::sleep_for(std::chrono::microseconds(20));
    volatile float half = smallest / 2.0F;
    if (half != 0.0F) ++wrong;
  });
  EXPECT_EQ(wrong.load(), 0);
}

TEST_P(ThreadPool, CallsFromSeveralThreadsAtOnceAllFinish) {
  std::atomic<std::int64_t> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int job = 0; job < 200; ++job) parallel_for(10, [&](std::int64_t i) { total += i; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 4 * 200 * 45);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPool, testing::Values(1, 2, 3, 8));

TEST(ThreadPoolSize, WorkIsSharedAmongThreads) {
  set_threads(2);
  std::atomic<int> inside{0};
  std::atomic<bool> met{false};
  parallel_for(2, [&](std::int64_t) {  // each waits for the other: only two threads can end this soon
    ++inside;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (inside.load() < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (inside.load() == 2) met = true;
  });
  EXPECT_TRUE(met.load());
  set_threads(0);
}

TEST(ThreadPoolSize, ASingleTaskMaySplitItsOwnWork) {
  set_threads(2);
  std::atomic<int> inside{0};
  std::atomic<bool> met{false};
  parallel_for(1, [&](std::int64_t) {
    parallel_for(2, [&](std::int64_t) {
      ++inside;
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (inside.load() < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      if (inside.load() == 2) met = true;
    });
  });
  EXPECT_TRUE(met.load());
  set_threads(0);
}

TEST(ThreadPoolSize, RefusesWhatIsOutOfRange) {
  expect_error(Code::kUsage, {"threads", "-1", "256"}, [] { set_threads(-1); });
  expect_error(Code::kUsage, {"threads", "257"}, [] { set_threads(257); });
  set_threads(0);
  EXPECT_EQ(threads(), static_cast<int>(std::min(256U, std::max(1U, std::thread::hardware_concurrency()))));
}

}  // namespace
}  // namespace carousel
