// thread_pool.h: the worker threads, and the only way work is split.
//
// parallel_for(count, task) runs task(0) .. task(count-1), each once, on the caller and the workers, and returns when
// all are done. `count` must follow from the problem, never from the number of threads (but where no bit depends on
// it): each task writes its own result and the caller combines them in index order, so that every thread count gives
// the same bits.
// Workers spin briefly before they sleep. A call from inside a task runs in order on the calling thread, and so does a
// call made while another thread's call is under way; with count 1, task(0) is simply called and may split its own
// work. Every thread that computes here (workers, the caller of set_threads or parallel_for) flushes denormal numbers
// to zero from then on.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace carousel {

// A reference to a callable void(int64 index); does not own it and never allocates.
class TaskRef {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, TaskRef>) TaskRef(F&& f)  // NOLINT: implicit by design
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, std::int64_t index) { (*static_cast<std::remove_reference_t<F>*>(object))(index); }) {}
  void operator()(std::int64_t index) const { call_(object_, index); }

 private:
  void* object_;
  void (*call_)(void*, std::int64_t);
};

// Sets the number of threads (1 .. 256) that parallel_for uses, the caller included; 0 means one per core.
// Throws Error{kUsage} if out of range. Not to be called from inside a task.
void set_threads(int count);
int threads() noexcept;

// If tasks throw, the exception of the lowest index is thrown again here, after all tasks that were begun have ended;
// tasks not begun by then are left out. Allocates nothing.
void parallel_for(std::int64_t count, TaskRef task);

}  // namespace carousel
