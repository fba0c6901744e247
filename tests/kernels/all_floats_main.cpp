// Measures the error of exp, log, tanh and sigmoid over all 2^32 floats against double, on the best instruction set of
// this machine. Run by hand, for all or for the function that is named; a minute or two each. Prints the largest error
// and where it is; exits 1 above 2 ulp.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/pointwise.h"
#include "kernels/scalar_math.h"
#include "tests/kernels/float_error.h"

namespace {

using carousel::kernels::ScalarMath;

struct Worst {
  double error = 0;
  float at = 0;
};

constexpr std::int64_t kBlock = 1 << 16, kBlocks = std::int64_t{1} << 16;
constexpr double kSmallestNormal = 1.17549435082228751e-38;

struct Function {
  const char* name;
  void (*fast)(std::span<const float>, std::span<float>) noexcept;
  double (*exact)(double);
};

// The allowed rule for values below the smallest normal float: 0, or within 2 ulp.
double error_of(float got, double expected) {
  if (got == 0 && std::abs(expected) < kSmallestNormal) return 0;
  return carousel::testing::float_error(got, expected);
}

Worst measure(const Function& function) {
  std::vector<Worst> worst(kBlocks);
  carousel::parallel_for(kBlocks, [&](std::int64_t block) {
    std::vector<float> in(kBlock), out(kBlock);
    for (std::int64_t i = 0; i < kBlock; ++i)
      in[i] = std::bit_cast<float>(static_cast<std::uint32_t>(block * kBlock + i));
    function.fast(in, out);
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const double error = error_of(out[i], function.exact(in[i]));
      if (error > worst[block].error) worst[block] = {error, in[i]};
    }
  });
  Worst all;
  for (const Worst& block : worst) all = block.error > all.error ? block : all;
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  using Scalar = ScalarMath<double>;
  carousel::set_threads(0);
  bool good = true;
  for (const Function& function :
       {Function{"exp", carousel::kernels::exp, Scalar::exp}, Function{"log", carousel::kernels::log, Scalar::log},
        Function{"tanh", carousel::kernels::tanh, Scalar::tanh},
        Function{"sigmoid", carousel::kernels::sigmoid, Scalar::sigmoid}}) {
    if (argc > 1 && std::string_view(argv[1]) != function.name) continue;
    const Worst worst = measure(function);
    std::printf("%-8s %.4f ulp at %.9g\n", function.name, worst.error, static_cast<double>(worst.at));
    std::fflush(stdout);
    good = good && worst.error <= 2;
  }
  return good ? 0 : 1;
}
