#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/fail.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace carousel {

namespace {

constexpr int kMaxThreads = 256;
constexpr auto kSpinTime = std::chrono::microseconds(20);

void pause_briefly() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Denormal numbers count as zero on this thread: they are slow, and recurrent nets that decay produce many.
void flush_denormals() noexcept {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // FTZ (results) and DAZ (operands)
#elif defined(__aarch64__)
  std::uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" : : "r"(control | std::uint64_t{1} << 24));
#endif
}

thread_local bool inside_task = false;

// Every thread computes under the same rules, or a result would depend on who computed it.
void prepare_thread() noexcept {
  thread_local bool prepared = false;
  if (prepared) return;
  prepared = true;
  flush_denormals();
}

// Spins until ready() or the spin time is over; says which.
template <class Ready>
bool spin_until(Ready ready) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      pause_briefly();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// What the threads share while one parallel_for is under way.
struct Job {
  const TaskRef* task = nullptr;
  std::int64_t count = 0;
  std::atomic<std::int64_t> next{0};
  std::mutex error_mutex;
  std::exception_ptr error;
  std::int64_t error_index = 0;

  // Takes tasks in index order until none is left. A throwing task stops the taking; all lower ones were taken before
  // it, so the lowest index that throws does not depend on the number of threads.
  void work() {
    inside_task = true;
    for (;;) {
      const std::int64_t index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= count) break;
      try {
        (*task)(index);
      } catch (...) {  // kept: the caller of parallel_for throws it again
        next.store(count, std::memory_order_relaxed);
        const std::lock_guard lock(error_mutex);
        if (!error || index < error_index) {
          error = std::current_exception();
          error_index = index;
        }
      }
    }
    inside_task = false;
  }
};

// Workers come to a job while it is open; the caller closes it when no task is left to take and waits only for those
// that came, so a worker that sleeps on costs nothing.
class Pool {
 public:
  explicit Pool(int thread_count) {
    workers_.reserve(static_cast<std::size_t>(thread_count));
    try {
      for (int i = 1; i < thread_count; ++i) workers_.emplace_back([this] { live(); });
    } catch (const std::system_error& error) {
      stop();
      fail(Code::kUsage, "threads: cannot start {} threads: {}", thread_count, error.what());
    }
  }
  ~Pool() { stop(); }

  void run(std::int64_t count, const TaskRef& task) {
    job_.task = &task;
    job_.count = count;
    job_.next.store(0, std::memory_order_relaxed);
    job_.error = nullptr;
    open_.store(true);
    wake(count - 1);
    job_.work();
    open_.store(false);
    if (!spin_until([this] { return active_.load() == 0; })) {
      while (active_.load() != 0) std::this_thread::yield();
    }
    if (job_.error) std::rethrow_exception(std::exchange(job_.error, nullptr));
  }

 private:
  void live() {
    prepare_thread();
    std::uint32_t seen = 0;
    while (!stopping_.load()) {
      if (!spin_until([&] { return generation_.load() != seen; })) sleep(seen);
      seen = generation_.load();
      // In this order (and sequentially consistent): either this sees the job closed, or the caller sees this active.
      active_.fetch_add(1);
      if (open_.load()) job_.work();
      active_.fetch_sub(1);
    }
  }

  void sleep(std::uint32_t seen) {
    std::unique_lock lock(sleep_mutex_);
    sleepers_.fetch_add(1);
    woken_.wait(lock, [&] { return generation_.load() != seen; });
    sleepers_.fetch_sub(1);
  }

  void wake(std::int64_t wanted) {
    generation_.fetch_add(1);
    const std::int64_t sleepers = sleepers_.load();
    if (sleepers == 0) return;
    const std::lock_guard lock(sleep_mutex_);
    if (wanted >= sleepers) {
      woken_.notify_all();
    } else {
      for (std::int64_t i = 0; i < wanted; ++i) woken_.notify_one();
    }
  }

  void stop() {
    stopping_.store(true);
    wake(std::numeric_limits<std::int64_t>::max());
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  Job job_;
  std::atomic<bool> open_{false}, stopping_{false};
  std::atomic<int> active_{0};
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<std::int64_t> sleepers_{0};
  std::mutex sleep_mutex_;
  std::condition_variable woken_;
  std::vector<std::thread> workers_;
};

int cores() { return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads); }

// The one pool of the process, made when it is first needed.
struct Holder {
  std::mutex in_use;
  std::atomic<int> count{cores()};
  std::unique_ptr<Pool> pool;
};

Holder& holder() {
  static Holder instance;
  return instance;
}

void run_in_order(std::int64_t count, const TaskRef& task) {
  const bool outer = std::exchange(inside_task, true);
  try {
    for (std::int64_t i = 0; i < count; ++i) task(i);
  } catch (...) {  // thrown again: the thread goes back to what it was
    inside_task = outer;
    throw;
  }
  inside_task = outer;
}

}  // namespace

void set_threads(int count) {
  if (count < 0 || count > kMaxThreads) fail(Code::kUsage, "threads: got {}, expected 0 to {}", count, kMaxThreads);
  CAROUSEL_ASSERT(!inside_task);
  prepare_thread();
  const int wanted = count == 0 ? cores() : count;
  const std::lock_guard lock(holder().in_use);
  if (wanted == holder().count.load()) return;
  holder().pool.reset();
  holder().count.store(wanted);
}

int threads() noexcept { return holder().count.load(std::memory_order_relaxed); }

void parallel_for(std::int64_t count, TaskRef task) {
  if (count <= 0) return;
  prepare_thread();
  if (count == 1) return task(0);
  if (inside_task || threads() == 1) return run_in_order(count, task);
  const std::unique_lock lock(holder().in_use, std::try_to_lock);
  if (!lock.owns_lock() || threads() == 1) return run_in_order(count, task);
  if (!holder().pool) holder().pool = std::make_unique<Pool>(threads());
  holder().pool->run(count, task);
}

}  // namespace carousel
