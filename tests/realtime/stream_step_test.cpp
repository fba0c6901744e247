// Oracle: the kernel. A child process steps a stream in seccomp's strict mode, where any system call but read, write
// and exit ends it, and with malloc, free and locks that end it too. The last tests show that each guard does end it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>

#include "base/random.h"
#include "carousel/stream.h"
#include "carousel/stream_pool.h"
#include "cells/cell.h"
#include "cells/stream_layer.h"
#include "tests/realtime/interposers.h"

namespace carousel {
namespace {

constexpr int kSteps = 20000;

constexpr int kSystemCall = 128 + SIGKILL;

// What became of a child that ran `action` under guard: its exit status, or 128 and the signal that ended it.
template <class Action>
int end_under_guard(const Action& action) {
  const pid_t child = fork();
  if (child == 0) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(99);
    {
      const ForbiddenZone zone;
      action();
    }
    syscall(SYS_exit, 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(StreamStep, NeitherAllocatesNorLocksNorCallsTheSystem) {
  std::vector<float> noise(64);
  fill_normal({1, Purpose::kTest, 0}, 0.0f, 1.0f, std::span(noise));
  for (const Cell& cell : all_cells()) {
    for (const std::string_view dtype : kWeightFormats) {
      Sequential network{Scale{Tensor({3}), Tensor({3})},
                         Recurrent{{.cell = std::string(cell.name), .input_size = 3, .hidden_size = 21, .layers = 2}},
                         LayerNorm{21}, Linear{21, 2}, Activation{"tanh"}};
      Stream stream(network, {.dtype = std::string(dtype)});
      EXPECT_EQ(0, end_under_guard([&] {
                  for (int t = 0; t < kSteps; ++t) stream.step({noise.data() + t % 61, 3});
                }))
          << cell.name << " " << dtype;
    }
  }
}

TEST(StreamStep, NorDoesAPoolThatIsNotParallel) {
  std::vector<float> noise(64);
  fill_normal({1, Purpose::kTest, 0}, 0.0f, 1.0f, std::span(noise));
  for (const std::string_view dtype : kWeightFormats) {
    Sequential network{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 21, .proj_size = 5}},
                       Recurrent{{.cell = "gru", .input_size = 5, .hidden_size = 9}}, Linear{9, 2}};
    StreamPool pool(network, {.capacity = 40, .dtype = std::string(dtype), .parallel = false});
    std::vector<StreamPool::Id> ids;
    for (int k = 0; k < 40; ++k) ids.push_back(pool.open());
    EXPECT_EQ(0, end_under_guard([&] {
                float sum = 0;
                for (std::size_t t = 0; t < kSteps / 20; ++t) {
                  for (std::size_t k = t % 3; k < ids.size(); k += 1 + t % 7) {
                    pool.feed(ids[k], {noise.data() + (t + k) % 61, 3});
                  }
                  pool.step();
                  sum += pool.output(ids[t % 3])[0];
                }
                if (sum == 1e30f) _exit(98);
              }))
        << dtype;
  }
}

TEST(StreamStep, NorDoesItForNumbersOutOfTheOrdinary) {
  Sequential network{Recurrent{{.cell = "lstm", .input_size = 2, .hidden_size = 9}}, Linear{9, 1}};
  const float infinity = std::numeric_limits<float>::infinity(), tiny = std::numeric_limits<float>::denorm_min();
  const float inputs[] = {0.0f, tiny, -tiny, 1e38f, infinity, -infinity, std::nanf(""), 1.0f};
  for (const std::string_view dtype : kWeightFormats) {
    Stream stream(network, {.dtype = std::string(dtype)});
    EXPECT_EQ(0, end_under_guard([&] {
                for (int t = 0; t < 100; ++t) stream.step({inputs + t % 7, 2});
              }))
        << dtype;
  }
}

TEST(StreamStep, EachGuardEndsWhatItForbids) {
  void* volatile memory = std::malloc(1);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  EXPECT_EQ(kForbiddenStatus, end_under_guard([&] { memory = std::malloc(1); }));
  EXPECT_EQ(kForbiddenStatus, end_under_guard([&] { std::free(memory); }));
  EXPECT_EQ(kForbiddenStatus, end_under_guard([&] { pthread_mutex_lock(&mutex); }));
  EXPECT_EQ(kSystemCall, end_under_guard([] { static_cast<void>(open("/dev/null", O_RDONLY)); }));
  EXPECT_EQ(kSystemCall, end_under_guard([] { sched_yield(); }));
  std::free(memory);
}

}  // namespace
}  // namespace carousel
