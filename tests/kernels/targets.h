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
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::GetChosenTarget().Update(target);
    test();
    if (::testing::Test::HasFatalFailure()) break;
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}
#endif

}  // namespace carousel::testing
