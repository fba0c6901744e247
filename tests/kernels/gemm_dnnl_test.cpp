// Oracle: OpenMP itself. A thread of ours that has multiplied opens no team of its own from then on.
#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/gemm.h"

namespace carousel::kernels {
namespace {

TEST(GemmDnnl, EveryThreadThatMultipliesKeepsOpenMpToItself) {
  set_threads(3);
  std::atomic<int> wrong{0};
  parallel_for(64, [&](std::int64_t) {
    const std::vector<float> a(4, 1.0f), b(4, 2.0f);
    std::vector<float> c(4);
    gemm_on_this_thread<float>(
        {.m = 2, .n = 2, .k = 2, .a = a.data(), .lda = 2, .b = b.data(), .ldb = 2, .c = c.data(), .ldc = 2});
    if (omp_get_max_threads() != 1) ++wrong;
  });
  set_threads(0);
  EXPECT_EQ(0, wrong.load());
}

}  // namespace
}  // namespace carousel::kernels
