// targets.h: runs a test on every instruction set that this build contains and this machine has.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

namespace carousel::testing {

#if (HWY_TARGETS & (HWY_TARGETS - 1)) == 0  // one, as NEON on ARM: nothing to choose, and no library that chooses
template <class F>
void for_every_target(F&& test) {
  test();
}
#else
template <class F>
void for_every_target(F&& test) {
  // The better ones have the lower bits. A file that was not compiled for the best of `left` takes its next one.
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    SCOPED_TRACE(hwy::TargetName(left & -left));
    hwy::GetChosenTarget().Update(left);
    test();
    if (::testing::Test::HasFatalFailure()) break;
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}
#endif

}  // namespace carousel::testing
