// Oracle: what Linux says of this processor in /proc/cpuinfo, in its own names.
#include "tests/kernels/targets.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

namespace carousel::testing {
namespace {

#if (HWY_TARGETS & (HWY_TARGETS - 1)) != 0  // there is a choice
std::set<std::string> processor_flags() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line);
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

TEST(Targets, AreThoseOfTheProcessor) {
  const std::set<std::string> flags = processor_flags();
  const auto has = [&](const std::set<std::string>& names) { return std::ranges::includes(flags, names); };
  std::int64_t expected = HWY_STATIC_TARGET;
  if (has({"avx2", "fma", "bmi2", "aes", "pclmulqdq"})) expected |= HWY_AVX2;
  if (has({"avx512f", "avx512vl", "avx512dq", "avx512bw", "avx512cd"})) expected |= HWY_AVX3;
  if (has({"avx512_vnni", "avx512vbmi", "avx512_vbmi2", "avx512_bitalg", "avx512_vpopcntdq", "vpclmulqdq", "vaes"}))
    expected |= HWY_AVX3_DL;
  const std::int64_t targets = hwy::SupportedTargets();
  EXPECT_EQ(targets, expected);
  RecordProperty("instruction_set", hwy::TargetName(targets & -targets));  // tools/test_avx512.sh looks for it
}
#endif

}  // namespace
}  // namespace carousel::testing
