// bench_suites.h: the grids of `carousel bench --suite`.
#pragma once

#include <string>
#include <vector>

#include "bench_case.h"

namespace carousel::cli {

inline const std::vector<std::string> kBenchSuites = {"train", "infer", "stream", "deepbench"};

// The cases of one suite, each with threads = 1.
std::vector<BenchCase> bench_suite(const std::string& name);

}  // namespace carousel::cli
