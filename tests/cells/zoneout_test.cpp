// Zoneout. Oracle, where a test names no other: single steps of the same cell without zoneout, blended here.
#include "layers/scan/zoneout.h"

#include "tests/cells/recurrent_case.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

class ZoneoutContract : public EveryCell {};

constexpr double kOutput = 0.25, kMemory = 0.5;

const CaseSizes kRaggedBoth{
    .time_steps = 5, .samples = 4, .input_size = 3, .hidden_size = 6, .directions = 2, .lengths = {2, 5, 0, 1}};

// k of a unit, from the words of the generator.
double drawn(const RecurrentCase<double>& c, int direction, int state, std::int64_t t, std::int64_t n, std::int64_t j) {
  const Zoneout& z = c.zoneout;
  if (!z.draws) return z.of(state);
  const std::int64_t width = std::max(c.state_width(0), c.cell->state_count() > 1 ? c.state_width(1) : 0);
  const RandomKey key{7, Purpose::kDropout, 3u + static_cast<std::uint64_t>(direction)};
  const std::int64_t block = (t * c.sizes.samples + n) * ((width + 3) / 4) + j / 4;
  const std::uint32_t word = philox(key, static_cast<std::uint64_t>(block))[static_cast<std::size_t>(j % 4)];
  return (state == 0 ? word % 65536 : word / 65536) < z.of(state) * 65536 ? 1 : 0;
}

// Sample n in one direction: every step is a scan of its own, from the states before it.
void expect_blended_steps(RecurrentCase<double>& c, const RecurrentCase<double>::Result& got, int d, std::int64_t n) {
  const int states = c.cell->state_count();
  const std::int64_t C = c.sizes.input_size, P = c.output_size(), length = c.sizes.lengths[static_cast<std::size_t>(n)];
  CaseSizes one = c.sizes;
  one.time_steps = one.samples = 1;
  one.lengths = {};
  RecurrentCase<double> step(*c.cell, one);
  const auto row = [&](int k) { return c.initial(d, k).value.data() + n * c.state_width(k); };
  for (int k = 0; k < states; ++k) std::copy_n(row(k), c.state_width(k), step.initial(d, k).value.data());
  for (std::int64_t i = 0; i < length; ++i) {
    const std::int64_t t = d == 0 ? i : length - 1 - i, at = t * c.sizes.samples + n;
    std::copy_n(c.x.value.data() + at * C, C, step.x.value.data());
    Tape<double> tape;
    const auto made = step.run(tape);
    for (int k = 0; k < states; ++k) {
      for (std::int64_t j = 0; j < c.state_width(k); ++j) {
        const double keep = drawn(c, d, k, t, n, j);
        double& s = step.initial(d, k).value[j];
        s = keep * s + (1 - keep) * made.final[static_cast<std::size_t>(d * states + k)].value().data[j];
      }
    }
    const double* output = got.output.value().data + (at * c.sizes.directions + d) * P;
    expect_near(std::span(output, static_cast<std::size_t>(P)), step.initial(d, 0).value.span(), 1e-14, "output");
  }
  for (int k = 0; k < states; ++k) {
    const double* final = got.final[static_cast<std::size_t>(d * states + k)].value().data + n * c.state_width(k);
    expect_near(std::span(final, static_cast<std::size_t>(c.state_width(k))), step.initial(d, k).value.span(), 1e-14,
                "final state");
  }
}

void check_against_single_steps(RecurrentCase<double>& c) {
  for (const bool draws : {true, false}) {
    c.zoneout.draws = draws;
    Tape<double> tape;
    const auto got = c.run(tape);
    for (int d = 0; d < 2; ++d) {
      for (std::int64_t n = 0; n < c.sizes.samples; ++n) expect_blended_steps(c, got, d, n);
    }
  }
}

TEST_P(ZoneoutContract, EveryStepBlendsTheStatesBeforeAndBehindIt) {
  RecurrentCase<double> c(cell(), kRaggedBoth);
  c.set_zoneout(kOutput, kMemory);
  check_against_single_steps(c);
}

TEST_P(ZoneoutContract, EveryStepBlendsAProjectedOutput) {
  if (!cell().projection) return;
  CaseSizes sizes = kRaggedBoth;
  sizes.proj_size = 3;
  RecurrentCase<double> c(cell(), sizes);
  c.set_zoneout(kOutput, kMemory);
  check_against_single_steps(c);
}

// One of the two alone: what is not kept does not change hands.
TEST_P(ZoneoutContract, EveryStepBlendsOneKindOfStateAlone) {
  for (const bool output : {true, false}) {
    RecurrentCase<double> c(cell(), kRaggedBoth);
    c.set_zoneout(output ? kOutput : 0, output ? 0 : kMemory);
    check_against_single_steps(c);
  }
}

// Oracle: central differences.
TEST_P(ZoneoutContract, GradientsEqualCentralDifferences) {
  for (const bool draws : {true, false}) {
    RecurrentCase<double> c(cell(), {.time_steps = 5,
                                     .samples = 4,
                                     .input_size = 3,
                                     .hidden_size = 2,
                                     .layers = 2,
                                     .directions = 2,
                                     .lengths = {2, 4, 0, 1}});
    c.set_zoneout(kOutput, kMemory);
    c.zoneout.draws = draws;
    c.recurrent_dropout = 0.3;
    EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return c.all_outputs(tape); }, c.parameters(),
                                difference_options(cell())));
  }
}

// Oracle: central differences.
TEST_P(ZoneoutContract, GradientsOfAProjectionEqualCentralDifferences) {
  if (!cell().projection) return;
  RecurrentCase<double> c(cell(), {.time_steps = 4,
                                   .samples = 3,
                                   .input_size = 2,
                                   .hidden_size = 5,
                                   .proj_size = 3,
                                   .layers = 2,
                                   .directions = 2,
                                   .lengths = {4, 1, 3}});
  c.set_zoneout(kOutput, kMemory);
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return c.all_outputs(tape); }, c.parameters()));
}

// Oracle: one thread, bit for bit: outputs and all gradients.
TEST_P(ZoneoutContract, EveryNumberOfThreadsGivesTheSameBits) {
  expect_the_same_bits_on_any_threads([&] {
    RecurrentCase<float> c(cell(), {.time_steps = 5,
                                    .samples = 13,
                                    .input_size = 7,
                                    .hidden_size = 19,
                                    .directions = 2,
                                    .lengths = {5, 4, 3, 2, 1, 5, 5, 0, 1, 2, 5, 3, 5}});
    c.set_zoneout(kOutput, kMemory);
    return c;
  });
}

TEST_P(ZoneoutContract, AStepAllocatesNothingAfterTheFirst) {
  RecurrentCase<float> c(cell(), {.time_steps = 5, .samples = 8, .input_size = 6, .hidden_size = 16, .directions = 2});
  c.set_zoneout(kOutput, kMemory);
  EXPECT_EQ(0, allocations_after_the_first_step(c));
}

INSTANTIATE_TEST_SUITE_P(AllCells, ZoneoutContract, ::testing::ValuesIn(cell_names()),
                         [](const auto& test) { return test.param; });

// Oracle: statistics. One step of N equal samples: the mean of a drawn state is that of inference, its deviation
// |s' - s| sqrt(p (1 - p) / N); of 10 numbers none is further off than 4.5 of them in 99.99 % of all keys. The two
// numbers of a unit are independent: both keep with probability p q, deviation sqrt(p q (1 - p q) / (N H)).
TEST(Zoneout, TheMeanOfManyDrawsIsTheStateOfInference) {
  constexpr std::int64_t kSamples = 4000, kUnits = 5;
  RecurrentCase<double> c(find_cell("lstm"),
                          {.time_steps = 1, .samples = kSamples, .input_size = 2, .hidden_size = kUnits});
  for (std::int64_t n = 1; n < kSamples; ++n) {
    std::copy_n(c.x.value.data(), 2, c.x.value.data() + n * 2);
    for (int k = 0; k < 2; ++k) {
      std::copy_n(c.initial(0, k).value.data(), kUnits, c.initial(0, k).value.data() + n * kUnits);
    }
  }
  Tape<double> tape;
  const auto made = c.run(tape);
  c.set_zoneout(kOutput, kMemory);
  const auto got = c.run(tape);
  std::int64_t kept_both = 0;
  for (std::int64_t j = 0; j < kUnits; ++j) {
    double mean[2] = {};
    for (std::int64_t n = 0; n < kSamples; ++n) {
      bool kept[2] = {};
      for (const int k : {0, 1}) {
        const double s = got.final[static_cast<std::size_t>(k)].value().data[n * kUnits + j];
        kept[k] = s == c.initial(0, k).value[j];
        mean[k] += s / kSamples;
      }
      kept_both += kept[0] && kept[1] ? 1 : 0;
    }
    for (const int k : {0, 1}) {
      const double p = c.zoneout.of(k), before = c.initial(0, k).value[j];
      const double after = made.final[static_cast<std::size_t>(k)].value().data[j];
      const double deviation = std::abs(after - before) * std::sqrt(p * (1 - p) / kSamples);
      EXPECT_NEAR(p * before + (1 - p) * after, mean[k], 4.5 * deviation);
    }
  }
  constexpr double kBoth = kOutput * kMemory, kCount = kSamples * kUnits;
  EXPECT_NEAR(kBoth, static_cast<double>(kept_both) / kCount, 4.5 * std::sqrt(kBoth * (1 - kBoth) / kCount));
}

TEST(Zoneout, RefusesWhatACellDoesNotHave) {
  const auto check = [](const char* cell, double output, double memory) {
    check_zoneout(find_cell(cell), {.output = output, .memory = memory, .key = {}});
  };
  check("lstm", 0.1, 0.5);
  check("gru", 0.1, 0);
  check("mlstm", 0, 0);
  expect_error(Code::kUsage, {"mlstm", "zoneout"}, [&] { check("mlstm", 0.1, 0); });
  expect_error(Code::kUsage, {"gru", "no memory but h", "zoneout_memory"}, [&] { check("gru", 0, 0.1); });
  expect_error(Code::kUsage, {"clockwork", "zoneout_memory"}, [&] { check("clockwork", 0, 0.1); });
  expect_error(Code::kUsage, {"lstm", "zoneout is 1"}, [&] { check("lstm", 1, 0); });
  expect_error(Code::kUsage, {"lstm", "zoneout_memory is -0.5"}, [&] { check("lstm", 0, -0.5); });
}

}  // namespace
}  // namespace carousel
