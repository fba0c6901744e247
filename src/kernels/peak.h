// peak.h: how fast this machine can multiply and add, measured; the yardstick of every speed that is reported.
#pragma once

#include <cstdint>

namespace carousel::kernels {

// The floating-point operations per second (in 10^9, float, a fused multiply-add counts as two) that `threads` cores
// reach together in chains of independent multiply-adds that touch no memory. Takes about 20 ms; the best of several
// runs. Starts threads of its own. REQUIRES: threads >= 1.
double measure_fma_peak_gflops(int threads);

// How fast one core reads `bytes` bytes (rounded up to 1 KiB) that it read just before, again and again, in 10^9 bytes
// per second: the cache that holds them, or the memory. Takes about 20 ms; the best of several runs. REQUIRES: bytes >
// 0.
double measure_read_gbs(std::int64_t bytes);

// The best instruction set that the kernels use on this machine: "AVX2", "AVX3" (AVX-512), "AVX3_DL" (AVX-512 with
// VNNI, of which only steps in int8 make use), "NEON", "SCALAR" ...
const char* instruction_set();

}  // namespace carousel::kernels
