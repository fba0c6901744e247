#include "kernels/peak.h"

#include <gtest/gtest.h>

#include <cstring>

namespace carousel::kernels {
namespace {

// Oracle: physics. A core does between 0.1 and 1000 GFLOP/s in float; two cores do not do less than half of one.
TEST(Peak, IsASpeedThatACoreCanHave) {
  const double one = measure_fma_peak_gflops(1);
  EXPECT_GT(one, 0.1);
  EXPECT_LT(one, 1000);
  EXPECT_GT(measure_fma_peak_gflops(2), one / 2);
  EXPECT_GT(std::strlen(instruction_set()), 0u);
}

// Oracle: physics again. A core reads 0.1 to 2000 GB/s, and the first cache is faster than 256 MiB of memory.
TEST(Peak, ReadsFasterFromACacheThanFromMemory) {
  const double cache = measure_read_gbs(8 << 10), memory = measure_read_gbs(256 << 20);
  EXPECT_LT(cache, 2000);
  EXPECT_GT(memory, 0.1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose checks take longer than memory does
  EXPECT_GT(cache, memory);
#endif
}

}  // namespace
}  // namespace carousel::kernels
