// Oracles: central differences; each sample by itself; fixtures of a NumPy implementation are in tests/golden.
#include "layers/attention/decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/concatenate_rows.h"
#include "autograd/ops/select_rows.h"
#include "layers/attention/coverage_loss.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

using Lengths = std::vector<std::int32_t>;
using P = BasicParameter<double>;
using V = BasicVariable<double>;

constexpr std::int64_t kSamples = 4, kSteps = 3, kMemorySteps = 5, I = 2, H = 3, A = 4, O = 2;
const Lengths kLengths{2, 0, 3, 1}, kMemoryLengths{4, 3, 5, 0};  // targets and memory, one of each empty

struct Scheme {
  std::string score, cell;
  bool feeding = true, coverage = false, scaled = false;
  bool additive() const { return score == "additive"; }
  std::int64_t memory_size() const { return score == "dot" ? H : 5; }
  std::string name() const {
    return score + " " + cell + (feeding ? " feeding" : "") + (coverage ? " coverage" : "") + (scaled ? " scaled" : "");
  }
};
const Scheme kSchemes[] = {{"additive", "gru", false},
                           {"additive", "lstm", false},
                           {"dot", "lstm", true},
                           {"general", "gru", false},
                           {"concat", "lstm", true},
                           {"general", "rnn", true},
                           {"additive", "gru", false, true},
                           {"concat", "lstm", true, true},
                           {"dot", "gru", true, false, true},
                           {"general", "lstm", true, false, true}};

// All parameters of a decoder, and its inputs: x [T, N, I], memory [S, N, E], states [N, H].
struct Weights {
  explicit Weights(const Scheme& scheme) {
    const std::int64_t E = scheme.memory_size(), gates = find_cell(scheme.cell).gate_count() * H;
    const std::int64_t beside = scheme.additive() ? E : scheme.feeding ? O : 0;
    const auto make = [&](const std::string& name, const Shape& shape) {
      list.push_back(random_parameter(name, shape, 0.6));
    };
    make("x", {kSteps * kSamples, I});
    make("memory", {kMemorySteps, kSamples, E});
    make("weight_ih", {gates, I + beside});
    make("weight_hh", {gates, H});
    make("bias_ih", {gates});
    make("bias_hh", {gates});
    for (int k = 0; k < find_cell(scheme.cell).state_count(); ++k) make("state" + std::to_string(k), {kSamples, H});
    if (scheme.score == "general") make("weight", {H, E});
    if (scheme.additive() || scheme.score == "concat") {
      make("weight_s", {A, H});
      make("weight_h", {A, E});
      make("v", {A});
      if (scheme.coverage) make("coverage", {A});
    }
    if (!scheme.additive()) make("weight_c", {O, E + H});
    if (scheme.feeding) make("feed", {kSamples, O});
  }

  V on(Tape<double>& tape, const std::string& name) {
    for (P& parameter : list) {
      if (parameter.name == name) return tape.parameter(parameter);
    }
    return {};
  }
  std::vector<P*> pointers() {
    std::vector<P*> all;
    for (P& parameter : list) all.push_back(&parameter);
    return all;
  }

  std::vector<P> list;
};

DecoderInput<double> input_on(Tape<double>& tape, const Scheme& scheme, Weights& w, const SequenceLayout& layout) {
  DecoderInput<double> input;
  input.cell = &find_cell(scheme.cell);
  input.layout = &layout;
  input.x = select_rows(w.on(tape, "x"), layout.padded_rows());
  input.memory = {w.on(tape, "memory"), kMemoryLengths};
  input.weights.weight_ih = w.on(tape, "weight_ih");
  input.weights.weight_hh = w.on(tape, "weight_hh");
  input.weights.bias_ih = w.on(tape, "bias_ih");
  input.weights.bias_hh = w.on(tape, "bias_hh");
  for (int k = 0; k < input.cell->state_count(); ++k)
    input.weights.initial[k] = w.on(tape, "state" + std::to_string(k));
  input.score = {w.on(tape, "weight"), w.on(tape, "weight_s"), w.on(tape, "weight_h"),
                 w.on(tape, "v"),      w.on(tape, "coverage"), scheme.scaled};
  input.weight_c = w.on(tape, "weight_c");
  input.input_feeding = scheme.feeding;
  input.feed = w.on(tape, "feed");
  input.wants_final = true;
  return input;
}

// Outputs and final states one under another, so that a loss sees all of them.
V all_results(const DecoderInput<double>& input, const DecoderOutput<double>& out) {
  std::vector<V> parts;
  for (const V& part : {out.output, out.final[0], out.final[1], out.final[2]}) {
    if (part && part.shape()[1] == out.output.shape()[1]) parts.push_back(part);
  }
  EXPECT_FALSE(parts.empty());
  EXPECT_EQ(input.layout->rows(), out.output.shape()[0]);
  return concatenate_rows(std::span<const V>(parts));
}

TEST(Decoder, GradientsEqualCentralDifferences) {
  for (const Scheme& scheme : kSchemes) {
    Weights w(scheme);
    const SequenceLayout layout(kSteps, kLengths);
    EXPECT_TRUE(check_gradients(
        [&](Tape<double>& tape) {
          const auto input = input_on(tape, scheme, w, layout);
          return all_results(input, decode(input));
        },
        w.pointers(), {.step = 1e-5, .tolerance = 1e-6, .floor = 1e-2, .seed = 3}))
        << scheme.name();
    EXPECT_TRUE(check_gradients(
        [&](Tape<double>& tape) {
          const auto input = input_on(tape, scheme, w, layout);
          return decode(input).final[0];
        },
        w.pointers()))
        << scheme.name() << ", final h alone";
  }
}

// Oracle: the definition, step by step in plain doubles, for the alignment of the first step; then every row adds up.
TEST(Decoder, AlignmentsAreZeroBehindTheEndsAndAddUpToOne) {
  for (const Scheme& scheme : kSchemes) {
    Weights w(scheme);
    Tape<double> tape;
    const SequenceLayout layout(kSteps, kLengths);
    const auto input = input_on(tape, scheme, w, layout);
    const BasicTensor<double> alignments = decoder_alignments(input, decode(input));
    ASSERT_EQ((Shape{kSteps, kSamples, kMemorySteps}), alignments.shape());
    for (std::int64_t row = 0; row < kSteps * kSamples; ++row) {
      const auto n = static_cast<std::size_t>(row % kSamples);
      double sum = 0;
      for (std::int64_t s = 0; s < kMemorySteps; ++s) {
        const double weight = alignments[row * kMemorySteps + s];
        const bool valid = row / kSamples < kLengths[n] && s < kMemoryLengths[n];
        EXPECT_EQ(valid, weight != 0) << scheme.name() << " row " << row << ", " << s;
        sum += weight;
      }
      EXPECT_NEAR(row / kSamples < kLengths[n] && kMemoryLengths[n] > 0 ? 1 : 0, sum, 1e-15) << scheme.name();
    }
  }
}

// Oracle: e^(s / c) is (e^s)^(1 / c), so that scaled weights are those of the same scores as they are, to the power of
// 1 / sqrt(H). In the first step both look with the same h.
TEST(Decoder, ScaledScoresAreDividedByTheRootOfTheHiddenSize) {
  for (const Scheme& scaled : kSchemes) {
    if (!scaled.scaled) continue;
    Scheme plain = scaled;
    plain.scaled = false;
    Weights w(scaled);
    const SequenceLayout layout(kSteps, kLengths);
    const auto alignments = [&](const Scheme& scheme) {
      Tape<double> tape;
      const auto input = input_on(tape, scheme, w, layout);
      return decoder_alignments(input, decode(input));
    };
    const BasicTensor<double> got = alignments(scaled), expected = alignments(plain);
    for (std::int64_t n = 0; n < kSamples; ++n) {
      const double* row = expected.data() + n * kMemorySteps;
      double sum = 0;
      for (std::int64_t s = 0; s < kMemorySteps; ++s) sum += std::pow(row[s], 1 / std::sqrt(H));
      for (std::int64_t s = 0; s < kMemorySteps && sum > 0; ++s)
        EXPECT_NEAR(std::pow(row[s], 1 / std::sqrt(H)) / sum, got[n * kMemorySteps + s], 1e-14) << scaled.name();
    }
    EXPECT_NE(expected[0], got[0]);
  }
}

// The batch shrinks as samples end: each sample alone must give the same.
TEST(Decoder, ASampleGivesTheSameAloneAndInABatch) {
  for (const Scheme& scheme : kSchemes) {
    Weights w(scheme);
    Tape<double> tape;
    const SequenceLayout layout(kSteps, kLengths);
    const auto together = decode(input_on(tape, scheme, w, layout));
    for (std::int64_t n = 0; n < kSamples; ++n) {
      const auto row_of = [&](V x, std::int64_t row) { return select_rows(x, std::span<const std::int64_t>(&row, 1)); };
      const Lengths length{kLengths[static_cast<std::size_t>(n)]},
          memory_length{kMemoryLengths[static_cast<std::size_t>(n)]};
      const SequenceLayout alone(kSteps, length);
      auto input = input_on(tape, scheme, w, layout);
      input.layout = &alone;
      std::vector<std::int64_t> own_rows, own_memory;
      for (std::int64_t t = 0; t < length[0]; ++t) own_rows.push_back(t * kSamples + n);
      for (std::int64_t s = 0; s < kMemorySteps; ++s) own_memory.push_back(s * kSamples + n);
      input.x = select_rows(w.on(tape, "x"), std::span<const std::int64_t>(own_rows));
      const V memory = select_rows(w.on(tape, "memory"), std::span<const std::int64_t>(own_memory));
      const BasicTensor<double> values({kMemorySteps, 1, scheme.memory_size()}, memory.value().span());
      input.memory = {tape.constant(values.view()), memory_length};
      for (V& state : input.weights.initial) state = state ? row_of(state, n) : state;
      if (input.feed) input.feed = row_of(input.feed, n);
      const auto single = decode(input);
      const int carried = input.cell->state_count() + (scheme.feeding ? 1 : 0);
      for (int k = 0; k < carried; ++k) {
        expect_near(row_of(together.final[k], n).value(), single.final[k].value(), 1e-14, scheme.name() + " final");
      }
      for (std::int64_t t = 0, row = -1; t < length[0]; ++t) {
        for (std::int64_t r = 0; r < layout.rows(); ++r) {
          if (layout.padded_rows()[static_cast<std::size_t>(r)] == t * kSamples + n) row = r;
        }
        expect_near(row_of(together.output, row).value(), row_of(single.output, t).value(), 1e-14, scheme.name());
      }
    }
  }
}

// Oracle: the formula in plain doubles, fed with the decoder's own states and weights of the step before.
TEST(Decoder, CoverageIsTheSumOfFormerWeights) {
  const Scheme scheme{"concat", "gru", true, true};
  Weights w(scheme);
  Tape<double> tape;
  const SequenceLayout layout(kSteps, Lengths{3});
  auto input = input_on(tape, scheme, w, layout);
  const std::int64_t rows[] = {2, 6, 10}, memory_rows[] = {2, 6, 10, 14, 18}, first = 2;  // sample 2
  input.x = select_rows(w.on(tape, "x"), std::span<const std::int64_t>(rows));
  const V memory = select_rows(w.on(tape, "memory"), std::span<const std::int64_t>(memory_rows));
  const BasicTensor<double> values({kMemorySteps, 1, 5}, memory.value().span());
  input.memory = {tape.constant(values.view()), {}};
  input.feed = select_rows(input.feed, std::span<const std::int64_t>(&first, 1));
  input.weights.initial[0] = select_rows(input.weights.initial[0], std::span<const std::int64_t>(&first, 1));
  const auto out = decode(input);
  const auto at = [&](const char* name, std::int64_t k) { return w.on(tape, name).value().data[k]; };
  std::vector<double> coverage(kMemorySteps, 0.0);
  for (std::size_t t = 0; t < kSteps; ++t) {
    const SequenceLayout shorter(kSteps, Lengths{static_cast<std::int32_t>(t + 1)});
    auto until = input;
    until.layout = &shorter;
    until.x = select_rows(input.x, std::span<const std::int64_t>(std::vector<std::int64_t>{0, 1, 2}.data(), t + 1));
    const double* h = decode(until).final[0].value().data;
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t s = 0; s < kMemorySteps; ++s) {
      double e = 0;
      for (std::int64_t a = 0; a < A; ++a) {
        double z = at("coverage", a) * coverage[static_cast<std::size_t>(s)];
        for (std::int64_t k = 0; k < H; ++k) z += at("weight_s", a * H + k) * h[k];
        for (std::int64_t k = 0; k < 5; ++k) z += at("weight_h", a * 5 + k) * values[s * 5 + k];
        e += at("v", a) * std::tanh(z);
      }
      weights.push_back(std::exp(e));
      sum += weights.back();
    }
    for (std::size_t s = 0; s < weights.size(); ++s) {
      EXPECT_NEAR(out.steps[t].weights.value().data[s], weights[s] / sum, 1e-14) << "step " << t << ", " << s;
      coverage[s] += weights[s] / sum;
    }
  }
  for (std::size_t s = 0; s < coverage.size(); ++s) EXPECT_NEAR(out.coverage.value().data[s], coverage[s], 1e-14);
}

// Oracles: the definition in plain doubles, over the weights as [T, N, S]; central differences, through the weights of
// a step and those of all steps before it.
TEST(Decoder, TheCoverageLossIsTheOverlapWithFormerWeights) {
  for (const Scheme& scheme : kSchemes) {
    Weights w(scheme);
    const SequenceLayout layout(kSteps, kLengths);
    const auto loss_on = [&](Tape<double>& tape) {
      return coverage_loss<double>(decode(input_on(tape, scheme, w, layout)).steps);
    };
    Tape<double> tape;
    const V loss = loss_on(tape);
    ASSERT_EQ(static_cast<bool>(loss), scheme.coverage) << scheme.name();
    if (!loss) continue;
    const auto input = input_on(tape, scheme, w, layout);
    const BasicTensor<double> alignments = decoder_alignments(input, decode(input));
    double expected = 0;
    for (std::int64_t place = 0; place < kSamples * kMemorySteps; ++place) {
      double former = 0;
      for (std::int64_t t = 0; t < kSteps; ++t) {
        const double weight = alignments[t * kSamples * kMemorySteps + place];
        expected += std::min(weight, former);
        former += weight;
      }
    }
    EXPECT_GT(expected, 0.1);
    EXPECT_NEAR(loss.item(), expected, 1e-14) << scheme.name();
    EXPECT_TRUE(check_gradients(loss_on, w.pointers())) << scheme.name();
    const SequenceLayout one_step(1, Lengths{1, 1, 0, 1});
    auto first = input_on(tape, scheme, w, one_step);
    EXPECT_FALSE(coverage_loss<double>(decode(first).steps)) << scheme.name() << ", nothing was looked at before";
  }
}

TEST(Decoder, WhatDoesNotFitIsNamed) {
  const Scheme scheme = kSchemes[4];
  Weights w(scheme);
  Tape<double> tape;
  const SequenceLayout layout(kSteps, kLengths);
  const auto fails = [&](std::initializer_list<std::string_view> words, auto change) {
    auto input = input_on(tape, scheme, w, layout);
    change(input);
    expect_error(Code::kUsage, words, [&] { decode(input); });
  };
  const Lengths too_long{4, 3, 6, 0}, too_few{1};
  fails({"length 6 of sample 2 of the memory", "0 to 5"}, [&](auto& input) { input.memory.lengths = too_long; });
  fails({"1 lengths of the memory for 4 samples"}, [&](auto& input) { input.memory.lengths = too_few; });
  fails({"attn_weight_s", "[4, 5]", "[4, 3]"}, [&](auto& input) { input.score.weight_s = input.score.weight_h; });
  fails({"initial state", "[4, 2]", "[4, 3]"}, [&](auto& input) { input.weights.initial[1] = input.feed; });
  fails({"memory", "[12, 2]", "[steps, 4, size]"}, [&](auto& input) { input.memory.states = w.on(tape, "x"); });
  fails({"attn_weight_coverage", "[2, 8]", "[4]"}, [&](auto& input) { input.score.coverage = input.weight_c; });
  fails({"dot product", "5 and 3"}, [&](auto& input) { input.score = {}; });
}

}  // namespace
}  // namespace carousel
