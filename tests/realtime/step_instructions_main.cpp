// Steps every cell in every weight format through numbers of every kind and prints one line for each step, "CELL
// FORMAT: KIND"; check_step_instructions.py counts the instructions of each with valgrind.
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/random.h"
#include "base/thread_pool.h"
#include "carousel/stream.h"
#include "cells/cell.h"
#include "cells/stream_layer.h"

// Where the counting of a step ends. It must be a call that callgrind sees.
extern "C" [[gnu::noinline]] void after_step() { asm volatile(""); }

namespace {

using carousel::Activation;
using carousel::Cell;
using carousel::LayerNorm;
using carousel::Linear;
using carousel::Recurrent;
using carousel::Scale;
using carousel::Sequential;
using carousel::Stream;
using carousel::Tensor;

constexpr std::int64_t kInputSize = 3;
using Input = float[kInputSize];

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kTiny = std::numeric_limits<float>::denorm_min(), kHuge = std::numeric_limits<float>::max();

constexpr struct {
  const char* kind;
  Input x;
} kInputs[] = {
    {"ordinary", {0.3f, -1.2f, 0.7f}},      {"large", {40.0f, -90.0f, 300.0f}},
    {"largest", {kHuge, -kHuge, kHuge}},    {"zero", {0.0f, -0.0f, 0.0f}},
    {"denormal", {kTiny, -3e-39f, 1e-38f}}, {"infinite", {kInfinity, -kInfinity, 1.0f}},
    {"nan", {kNan, 0.5f, -kNan}},
};

void run(const Cell& cell, const std::string& format) {
  Tensor factor({kInputSize});
  factor.fill(1);
  Sequential network{
      Scale{factor, Tensor({kInputSize})},
      Recurrent{{.cell = std::string(cell.name), .input_size = kInputSize, .hidden_size = 21, .layers = 2}},
      LayerNorm{21}, Linear{21, 2}, Activation{"tanh"}};
  Stream stream(network, {.dtype = format});
  const auto step = [&](const char* kind, const Input& x) {
    stream.step(x);
    after_step();
    std::printf("%.*s %s: %s\n", static_cast<int>(cell.name.size()), cell.name.data(), format.c_str(), kind);
  };
  step("first", kInputs[0].x);  // chooses the instruction set: counted with the others of its own kind only
  for (const auto& [kind, x] : kInputs) {
    stream.reset();
    for (int t = 0; t < 3; ++t) step(kind, x);  // the second and third have a state of this kind
  }
}

}  // namespace

int main() {
  carousel::set_threads(1);  // callgrind counts every thread: no worker may still be on its way to sleep
  for (const Cell& cell : carousel::all_cells()) {
    for (const std::string_view format : carousel::kWeightFormats) {
      run(cell, std::string(format));
    }
  }
}
