// What is left to win in a training step of an LSTM layer beside its products? One thread.
//
//   bench_step_products T N C H     prints one JSON object
//
// The six products that a step is made of, with the kernels, sizes and order of memory that the step gives them, each
// by itself, and the whole step (forward and backward). All take turns; before and after each the machine's peak is
// measured, and a share is that of the mean of the two: a virtual machine's neighbours come and go within milliseconds.
// They slow loops that read memory and leave the peak's alone, so besides the median there is the largest share of all
// turns, which is what the code reaches when it is left in peace. products_of_step: the six, one after another, over
// the step, the median of the turns; limit_share: what the whole step would have of the peak, in the median and at
// best, if all else in it took no time.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "autograd/ops/sum.h"
#include "autograd/tape.h"
#include "base/aligned.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "carousel/carousel.h"
#include "kernels/gemm.h"
#include "kernels/packed_matrix.h"
#include "kernels/peak.h"
#include "layers/module.h"
#include "stream_main.h"

namespace {

using namespace carousel;
using kernels::Op;
using Buffer = std::vector<float, AlignedAllocator<float>>;
constexpr int kTurns = 25;

Buffer random_numbers(std::int64_t count, std::uint64_t index) {
  Buffer buffer(static_cast<std::size_t>(count));
  fill_uniform({.seed = 1, .purpose = Purpose::kTest, .step = index}, -0.05F, 0.05F, std::span(buffer));
  return buffer;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double largest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

// Matrices of a layer: rows are those of all time steps, R = T N; G = 4 H. What the products give goes into memory of
// its own: numbers that came back in would grow from turn to turn.
struct Matrices {
  std::int64_t T, N, C, H, G, R;
  Buffer x, h, da, w_ih, w_hh, a, dx, dh, dw_ih, dw_hh, packed, packed_back;

  explicit Matrices(const std::int64_t (&sizes)[4])
      : T(sizes[0]),
        N(sizes[1]),
        C(sizes[2]),
        H(sizes[3]),
        G(4 * H),
        R(T * N),
        x(random_numbers(R * C, 1)),
        h(random_numbers(R * H, 2)),
        da(random_numbers(R * G, 3)),
        w_ih(random_numbers(G * C, 4)),
        w_hh(random_numbers(G * H, 5)),
        a(static_cast<std::size_t>(R * G)),
        dx(static_cast<std::size_t>(R * C)),
        dh(static_cast<std::size_t>(N * H)),
        dw_ih(static_cast<std::size_t>(G * C)),
        dw_hh(static_cast<std::size_t>(G * H)),
        packed(static_cast<std::size_t>(kernels::packed_size(H, G))),
        packed_back(static_cast<std::size_t>(kernels::packed_size(G, H))) {
    kernels::pack<float>(Op::kTransposed, H, G, w_hh.data(), H, packed.data());
    kernels::pack<float>(Op::kPlain, G, H, w_hh.data(), H, packed_back.data());
  }

  void input() {
    kernels::gemm<float>({.op_b = Op::kTransposed,
                          .m = R,
                          .n = G,
                          .k = C,
                          .a = x.data(),
                          .lda = C,
                          .b = w_ih.data(),
                          .ldb = C,
                          .c = a.data(),
                          .ldc = G});
  }
  void input_back() {
    kernels::gemm<float>(
        {.m = R, .n = C, .k = G, .a = da.data(), .lda = G, .b = w_ih.data(), .ldb = C, .c = dx.data(), .ldc = C});
  }
  void recurrent() {
    for (std::int64_t t = 0; t < T; ++t)
      kernels::multiply_packed<float>(N, G, H, h.data() + t * N * H, H, packed.data(), 1.0F, a.data() + t * N * G, G);
  }
  void recurrent_back() {
    for (std::int64_t t = 0; t < T; ++t)
      kernels::multiply_packed<float>(N, H, G, da.data() + t * N * G, G, packed_back.data(), 1.0F, dh.data(), H);
  }
  void weights(const Buffer& right, std::int64_t columns, Buffer& gradient) {
    kernels::gemm<float>({.op_a = Op::kTransposed,
                          .m = G,
                          .n = columns,
                          .k = R,
                          .a = da.data(),
                          .lda = G,
                          .b = right.data(),
                          .ldb = columns,
                          .c = gradient.data(),
                          .ldc = columns});
  }
};

// The layer itself: gradients of x, weights and biases, from a gradient of 1 for every output.
struct Layer {
  Recurrent layer;
  SequenceLayout layout;
  Tape<float> tape;
  const Matrices* matrices;

  explicit Layer(const Matrices& m)
      : layer{{.cell = "lstm", .input_size = m.C, .hidden_size = m.H}}, layout(m.T, m.N), matrices(&m) {
    std::uint64_t index = 5;
    for (Parameter* parameter : layer.parameters())
      fill_uniform({.seed = 1, .purpose = Purpose::kTest, .step = ++index}, -0.05F, 0.05F, parameter->value.span());
  }

  void train() {
    tape.reset();
    detail::Flow flow;
    flow.tape = &tape;
    flow.layout = &layout;
    flow.training = true;
    flow.x = tape.input({matrices->x.data(), {matrices->R, matrices->C}});
    layer.forward(flow);
    tape.backward(sum(flow.x));
  }
};

struct Work {
  const char* name;
  double operations;
  std::function<void()> run;
  std::vector<double> seconds, shares;
};

void measure(Work& work) {
  const double before = kernels::measure_fma_peak_gflops(1);
  const auto start = std::chrono::steady_clock::now();
  work.run();
  work.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  const double peak = (before + kernels::measure_fma_peak_gflops(1)) / 2;
  work.shares.push_back(work.operations * 1e-9 / work.seconds.back() / peak);
}

void compare(const std::int64_t (&sizes)[4]) {
  set_threads(1);
  Matrices m(sizes);
  Layer layer(m);
  const auto of = [&](std::int64_t k) { return 2.0 * static_cast<double>(m.R * m.G * k); };
  std::vector<Work> works;
  works.push_back({"input", of(m.C), [&] { m.input(); }, {}, {}});
  works.push_back({"recurrent", of(m.H), [&] { m.recurrent(); }, {}, {}});
  works.push_back({"recurrent_back", of(m.H), [&] { m.recurrent_back(); }, {}, {}});
  works.push_back({"weights_ih", of(m.C), [&] { m.weights(m.x, m.C, m.dw_ih); }, {}, {}});
  works.push_back({"weights_hh", of(m.H), [&] { m.weights(m.h, m.H, m.dw_hh); }, {}, {}});
  works.push_back({"input_back", of(m.C), [&] { m.input_back(); }, {}, {}});
  works.push_back({"step", 3 * (of(m.C) + of(m.H)), [&] { layer.train(); }, {}, {}});
  Work& step = works.back();
  std::vector<double> products_of_step;
  double limit_median = 0, limit_best = 0;
  for (Work& work : works) work.run();  // warms up
  for (int turn = 0; turn < kTurns; ++turn) {
    double products = 0;
    for (Work& work : works) {
      measure(work);
      if (&work != &step) products += work.seconds.back();
    }
    products_of_step.push_back(products / step.seconds.back());
  }
  std::printf("{\"T\": %ld, \"N\": %ld, \"C\": %ld, \"H\": %ld", static_cast<long>(m.T), static_cast<long>(m.N),
              static_cast<long>(m.C), static_cast<long>(m.H));
  for (const Work& work : works) {
    std::printf(", \"%s_share\": %.3f, \"%s_best\": %.3f", work.name, median(work.shares), work.name,
                largest(work.shares));
    if (&work == &step) continue;
    limit_median += work.operations / step.operations / median(work.shares);
    limit_best += work.operations / step.operations / largest(work.shares);
  }
  std::printf(", \"products_of_step\": %.3f, \"limit_share\": %.3f, \"limit_best\": %.3f}\n", median(products_of_step),
              1 / limit_median, 1 / limit_best);
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t sizes[4];
  for (int k = 0; k < 4; ++k) {
    if (argc == 5 && bench::read_size(argv[k + 1], sizes[k])) continue;
    std::fprintf(stderr, "usage: %s T N C H      whole numbers from 1\n", argv[0]);
    return 2;
  }
  try {
    compare(sizes);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
}
