// bench_case.h: one measurement of `carousel bench`: a cell, a shape and a mode, beside what the machine can do.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace carousel::cli {

struct BenchCase {
  std::string cell = "lstm";
  std::string mode = "train";  // train: forward and backward; infer: forward; step: one sequence step by step
  std::string dtype = "f32";   // of the weights; bf16 and int8 with step only
  std::int64_t time_steps = 100, batch_size = 32, input_size = 128, hidden_size = 128, layers = 1;
  std::int64_t shortest = 0;  // train: lengths spread evenly from here to time_steps; 0: all have time_steps
  int threads = 1;
};

// Throws Error{kUsage} naming what does not fit together or is too large.
void check_bench_case(const BenchCase& c);

struct BenchResult {
  double median_us = 0;  // of one call: T steps of N samples
  double update_us = 0;  // train: clipping and an Adam step, on top of median_us
  double gflops = 0;     // matrix products only, a multiply-add counting as two
  double peak_gflops = 0;
  // step: how fast the weights were read, and how fast the machine reads as many bytes again and again; GB/s.
  double read_gbs = 0, peak_read_gbs = 0;
};

// Sets the number of threads of the program and measures; the machine's figures are taken right after the case's.
BenchResult run_bench_case(const BenchCase& c);

nlohmann::ordered_json bench_json(const BenchCase& c, const BenchResult& r);

}  // namespace carousel::cli
