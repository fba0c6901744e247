// targets.cpp: which instruction sets this processor has, in place of Highway's library.
//
// Highway's macros call the two functions below to choose among the instruction sets that a file was compiled for. The
// library that holds them measures the resolution of a timer whenever a program starts, which takes 4 ms; so they are
// ours, hidden from other libraries in the process, and only Highway's headers are used.
#include "hwy/targets.h"

#if (HWY_TARGETS & (HWY_TARGETS - 1)) != 0  // one is not chosen
namespace hwy {

__attribute__((visibility("hidden"))) ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

// What Highway asks of a target (its targets.h and set_macros-inl.h), for those that src/kernels/CMakeLists.txt leaves
// on. Every processor with these has the rest of x86-64-v3 and v4.
__attribute__((visibility("hidden"))) std::int64_t SupportedTargets() {
  std::int64_t targets = HWY_STATIC_TARGET;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
      __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul")) {
    targets |= HWY_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd")) {
      targets |= HWY_AVX3;
      if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi") &&
          __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bitalg") &&
          __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("vpclmulqdq")) {
        targets |= HWY_AVX3_DL;
      }
    }
  }
  return targets;
}

}  // namespace hwy
#endif
