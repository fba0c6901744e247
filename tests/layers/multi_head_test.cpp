// Oracles: plain loops in double; central differences.
#include "layers/attention/multi_head.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/tanh.h"
#include "layers/pool_ops.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

using Lengths = std::vector<std::int32_t>;
using V = BasicVariable<double>;

constexpr std::int64_t kSamples = 4, kSteps = 5, kMemorySteps = 6, E = 6, M = 4, kHeads = 2, D = E / kHeads;
const Lengths kLengths{3, 0, 5, 1}, kMemoryLengths{2, 4, 6, 0};

struct Attention {
  explicit Attention(std::int64_t memory_size)
      : x(random_parameter("x", {kSteps, kSamples, E})),
        memory(random_parameter("memory", {kMemorySteps, kSamples, memory_size == 0 ? 1 : memory_size})) {
    const std::int64_t K = memory_size == 0 ? E : memory_size;
    for (const std::string name : {"q", "k", "v", "out"}) {
      weights.push_back(random_parameter("weight " + name, {E, name == "k" || name == "v" ? K : E}, 0.5));
      biases.push_back(random_parameter("bias " + name, {E}));
    }
  }
  BasicParameter<double> x, memory;
  std::vector<BasicParameter<double>> weights, biases;  // q, k, v, out
};

MultiHeadInput<double> input_on(Tape<double>& tape, Attention& a, V rows, const SequenceLayout& layout, bool cross) {
  MultiHeadInput<double> input;
  input.layout = &layout;
  input.x = rows;
  if (cross) input.memory = {tape.parameter(a.memory), kMemoryLengths};
  input.heads = kHeads;
  V* const weights[] = {&input.weight_q, &input.weight_k, &input.weight_v, &input.weight_out};
  V* const biases[] = {&input.bias_q, &input.bias_k, &input.bias_v, &input.bias_out};
  for (std::size_t k = 0; k < 4; ++k) {
    *weights[k] = tape.parameter(a.weights[k]);
    *biases[k] = tape.parameter(a.biases[k]);
  }
  return input;
}

std::vector<double> affine(const BasicParameter<double>& weight, const BasicParameter<double>& bias, const double* x) {
  std::vector<double> y(E);
  const std::int64_t in = weight.value.shape()[1];
  for (std::int64_t r = 0; r < E; ++r) {
    y[static_cast<std::size_t>(r)] = bias.value[r];
    for (std::int64_t c = 0; c < in; ++c) y[static_cast<std::size_t>(r)] += weight.value[r * in + c] * x[c];
  }
  return y;
}

struct Direct {
  BasicTensor<double> output, alignments;
};

// The definition, sample by sample, on the padded tensors.
Direct direct(const Attention& a, bool cross, bool causal) {
  const std::int64_t S = cross ? kMemorySteps : kSteps;
  Direct result{BasicTensor<double>({kSteps, kSamples, E}), BasicTensor<double>({kSamples, kHeads, kSteps, S})};
  const BasicTensor<double>& seen = cross ? a.memory.value : a.x.value;
  for (std::int64_t n = 0; n < kSamples; ++n) {
    const std::int64_t length = (cross ? kMemoryLengths : kLengths)[static_cast<std::size_t>(n)];
    for (std::int64_t t = 0; t < kLengths[static_cast<std::size_t>(n)]; ++t) {
      const auto q = affine(a.weights[0], a.biases[0], a.x.value.data() + (t * kSamples + n) * E);
      std::vector<double> context(E);
      for (std::int64_t h = 0; h < kHeads; ++h) {
        double* p = result.alignments.data() + ((n * kHeads + h) * kSteps + t) * S;
        double total = 0;
        const std::int64_t end = causal ? std::min(t + 1, length) : length;
        for (std::int64_t s = 0; s < end; ++s) {
          const auto k = affine(a.weights[1], a.biases[1], seen.data() + (s * kSamples + n) * seen.shape()[2]);
          double score = 0;
          for (auto d = static_cast<std::size_t>(h * D); d < static_cast<std::size_t>((h + 1) * D); ++d)
            score += q[d] * k[d];
          p[s] = std::exp(score / std::sqrt(double{D}));
          total += p[s];
        }
        for (std::int64_t s = 0; s < end; ++s) {
          p[s] /= total;
          const auto v = affine(a.weights[2], a.biases[2], seen.data() + (s * kSamples + n) * seen.shape()[2]);
          for (auto d = static_cast<std::size_t>(h * D); d < static_cast<std::size_t>((h + 1) * D); ++d) {
            context[d] += p[s] * v[d];
          }
        }
      }
      const auto y = affine(a.weights[3], a.biases[3], context.data());
      std::copy(y.begin(), y.end(), result.output.data() + (t * kSamples + n) * E);
    }
  }
  return result;
}

TEST(MultiHead, EqualsPlainLoops) {
  for (const auto& [cross, causal] : {std::pair{false, false}, {false, true}, {true, false}}) {
    Attention a(cross ? M : 0);
    const SequenceLayout layout(kSteps, kLengths);
    Tape<double> tape;
    BasicTensor<double> rows({layout.rows(), E});
    for (std::int64_t r = 0; r < layout.rows(); ++r) {
      std::copy_n(a.x.value.data() + layout.padded_rows()[static_cast<std::size_t>(r)] * E, E, rows.data() + r * E);
    }
    auto input = input_on(tape, a, tape.constant(rows.view()), layout, cross);
    input.causal = causal;
    const auto out = multi_head_attention(input);
    const Direct expected = direct(a, cross, causal);
    const std::string name = cross ? "cross" : causal ? "causal" : "self";
    expect_near(unpack(out.output, layout).value(), expected.output, 1e-14, name);
    expect_near(multi_head_alignments(input, out), expected.alignments, 1e-14, name + " weights");
  }
}

TEST(MultiHead, GradientsEqualCentralDifferences) {
  for (const auto& [cross, causal] : {std::pair{false, false}, {false, true}, {true, false}}) {
    Attention a(cross ? M : 0);
    const SequenceLayout layout(kSteps, kLengths);
    auto rows = random_parameter("rows", {layout.rows(), E});
    std::vector<BasicParameter<double>*> parameters{&rows};
    if (cross) parameters.push_back(&a.memory);
    for (auto& weight : a.weights) parameters.push_back(&weight);
    for (auto& bias : a.biases) parameters.push_back(&bias);
    EXPECT_TRUE(check_gradients(
        [&, across = cross, masked = causal](Tape<double>& tape) {
          auto input = input_on(tape, a, tanh(tape.parameter(rows)), layout, across);
          input.causal = masked;
          return multi_head_attention(input).output;
        },
        parameters))
        << (cross    ? "cross"
            : causal ? "causal"
                     : "self");
  }
}

TEST(MultiHead, HeadsThatDoNotDivideAreNamed) {
  Attention a(0);
  const SequenceLayout layout(1, 2);
  const BasicTensor<double> rows({2, E});
  Tape<double> tape;
  auto input = input_on(tape, a, tape.constant(rows.view()), layout, false);
  input.heads = 4;
  expect_error(Code::kUsage, {"4 heads", "size of 6"}, [&] { multi_head_attention(input); });
}

}  // namespace
}  // namespace carousel
