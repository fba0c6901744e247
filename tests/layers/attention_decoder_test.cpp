// AttentionDecoder inside of networks. Oracles: the same pass by another road: chunks against the whole, padding
// against other padding, an encoder and a decoder in one pass against two; what can be learned only through the
// alignment. Central differences are in decoder_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "carousel/attention.h"
#include "carousel/loss.h"
#include "cells/cell.h"
#include "layers/module.h"
#include "tests/layers/attention_case.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

using namespace attention_case;

// One step of gradient descent.
void descend(Sequential& net, float rate) {
  for (Parameter* p : net.parameters()) {
    for (std::int64_t j = 0; j < p->value.elements(); ++j) p->value[j] -= rate * p->gradient[j];
    p->gradient.fill(0);
  }
}

TEST(AttentionDecoder, PaddingChangesNothing) {
  const Tensor x = random_tensor({T, N, I}, 1), memory = random_tensor({S, N, E}, 2);
  const Tensor noisy_x = with_noise(x, kLengths), noisy_memory = with_noise(memory, kMemoryLengths);
  for (const AttentionDecoderOptions& options : decoder_options()) {
    Sequential net{AttentionDecoder{options}, Linear{options.score == "additive" ? H : O, 3}};
    std::vector<Tensor> alignments, noisy_alignments;
    State final, noisy_final;
    const Tensor y = net.predict({.values = &x,
                                  .lengths = kLengths,
                                  .final = &final,
                                  .memory_values = &memory,
                                  .memory_lengths = kMemoryLengths,
                                  .alignments = &alignments});
    const Tensor noisy_y = net.predict({.values = &noisy_x,
                                        .lengths = kLengths,
                                        .final = &noisy_final,
                                        .memory_values = &noisy_memory,
                                        .memory_lengths = kMemoryLengths,
                                        .alignments = &noisy_alignments});
    EXPECT_EQ((Shape{T, N, 3}), y.shape());
    expect_near(noisy_y, y, 0, options.score);
    ASSERT_EQ(1u, alignments.size());
    EXPECT_EQ((Shape{T, N, S}), alignments[0].shape());
    expect_near(noisy_alignments[0], alignments[0], 0, options.score + " alignments");
    ASSERT_EQ(net.zero_state(N).values.size(), final.values.size());
    for (std::size_t k = 0; k < final.values.size(); ++k) {
      EXPECT_EQ(net.zero_state(N).values[k].shape(), final.values[k].shape()) << options.score;
      expect_near(noisy_final.values[k], final.values[k], 0, options.score + " final");
    }
  }
}

TEST(AttentionDecoder, CarriedStateContinuesTheSequence) {
  const Tensor x = random_tensor({T, N, I}, 3), memory = random_tensor({S, N, E}, 4);
  const Tensor first({2, N, I}, std::span(x.data(), 2 * N * I)),
      second({3, N, I}, std::span(x.data() + 2 * N * I, 3 * N * I));
  for (const AttentionDecoderOptions& options : decoder_options()) {
    if (options.coverage) continue;  // what was looked at is no state: the next test
    Sequential net{AttentionDecoder{options}};
    const auto run = [&](const Tensor& values, const State* initial, State* final) {
      return net.predict({.values = &values, .initial = initial, .final = final, .memory_values = &memory});
    };
    State state, end, whole_end;
    const Tensor whole = run(x, nullptr, &whole_end), a = run(first, nullptr, &state), b = run(second, &state, &end);
    const auto split = static_cast<std::size_t>(a.elements());
    expect_near(a.span(), whole.span().first(split), 0, options.score + " first chunk");
    expect_near(b.span(), whole.span().subspan(split), 0, options.score + " second chunk");
    for (std::size_t k = 0; k < end.values.size(); ++k) expect_near(end.values[k], whole_end.values[k], 0, "final");
  }
}

TEST(AttentionDecoder, ACacheGivesTheSameBitsStepByStep) {
  const Tensor x = random_tensor({T, N, I}, 3), memory = random_tensor({S, N, E}, 4);
  for (const AttentionDecoderOptions& options : decoder_options()) {
    Sequential net{AttentionDecoder{options}};
    for (Parameter* parameter : net.parameters()) {  // so that coverage weighs something
      for (float& value : parameter->value.span()) value *= 2;
    }
    const Tensor whole = net.predict({.values = &x, .memory_values = &memory, .memory_lengths = kMemoryLengths});
    auto& layer = dynamic_cast<AttentionDecoder&>(*net.modules()[0].second);
    detail::AttentionCache cache = layer.make_cache(memory, kMemoryLengths);
    Tape<float> tape;
    tape.set_recording(false);
    SequenceLayout layout;
    State state = net.zero_state(N);
    const std::int64_t size = N * layer.output_size();
    for (std::int64_t t = 0; t < T; ++t) {
      const Tensor step({1, N, I}, std::span(x.data() + t * N * I, N * I));
      const State before = state;
      tape.reset();
      detail::PassInput input;
      input.values = &step;
      input.initial = &before;
      input.final = &state;
      input.cache = &cache;
      const Variable y = detail::run_pass(net, tape, layout, input, false, {});
      expect_near(y.value().span(), std::span(whole.data() + t * size, static_cast<std::size_t>(size)), 0,
                  options.score + (options.coverage ? " coverage" : ""));
    }
    const Tensor both({2, N, I});
    detail::PassInput two;
    two.values = &both;
    two.cache = &cache;
    expect_error(Code::kUsage, {"a cache of 4 samples", "one step"},
                 [&] { detail::run_pass(net, tape, layout, two, false, {}); });
  }
}

// The gradient that reaches the memory, sent through the encoder by itself, is what one pass gives the encoder.
TEST(AttentionDecoder, EveryCellThatItTakesCarriesItsState) {
  const Tensor x = random_tensor({T, N, I}, 3), memory = random_tensor({S, N, E}, 4);
  const Tensor first({2, N, I}, std::span(x.data(), 2 * N * I));
  int taken = 0;
  for (const Cell& cell : all_cells()) {
    const AttentionDecoderOptions options{
        .cell = std::string(cell.name), .input_size = I, .hidden_size = H, .memory_size = E, .output_size = O};
    if (cell.lower || cell.output_layer || cell.has_matrix() || cell.fixed_unit_weights ||
        cell.blocks != RecurrentBlocks::kAll) {
      expect_error(Code::kUsage, {"attention decoder: cell '" + options.cell + "'"},
                   [&] { AttentionDecoder decoder(options); });
      continue;
    }
    ++taken;
    Sequential net{AttentionDecoder{options}};
    const auto run = [&](const Tensor& values, const State* initial, State* final) {
      return net.predict({.values = &values, .initial = initial, .final = final, .memory_values = &memory});
    };
    State state, end;
    const Tensor whole = run(x, nullptr, &end), begin = run(first, nullptr, &state);
    expect_near(begin, Tensor({2, N, O}, std::span(whole.data(), 2 * N * O)), 0, options.cell);
    State rest_end;
    const Tensor rest({3, N, I}, std::span(x.data() + 2 * N * I, 3 * N * I));
    expect_near(run(rest, &state, &rest_end), Tensor({3, N, O}, std::span(whole.data() + 2 * N * O, 3 * N * O)), 0,
                options.cell);
    expect_near(rest_end.values.front(), end.values.front(), 0, options.cell + " h");
  }
  EXPECT_GT(taken, 20);
}

TEST(AttentionDecoder, TrainsTheEncoderWhoseStatesItLooksAt) {
  const RecurrentOptions encoder_options{.cell = "gru", .input_size = 2, .hidden_size = 2, .bidirectional = true};
  const Tensor source = random_tensor({S, N, 2}, 5), x = random_tensor({T, N, I}, 6);
  for (const AttentionDecoderOptions& options : decoder_options()) {
    Sequential encoder{Recurrent{encoder_options}}, same_encoder{Recurrent{encoder_options}};
    Sequential decoder{AttentionDecoder{options}};
    const Variable memory = encoder(source, kMemoryLengths);
    const Variable y = decoder({.values = &x, .lengths = kLengths, .memory = memory, .memory_lengths = kMemoryLengths});
    const Tensor encoded = encoder.predict(source, kMemoryLengths);
    expect_near(y.value(),
                decoder.predict(
                    {.values = &x, .lengths = kLengths, .memory_values = &encoded, .memory_lengths = kMemoryLengths}),
                1e-6, options.score);
    Tensor target(y.shape());
    backward(mse(y, target));
    // mse(memory, target) has the gradient 2 (memory - target) / elements: with this target, that of the memory above.
    Tensor shifted(memory.value());
    const Variable again = same_encoder(source, kMemoryLengths);
    for (std::int64_t k = 0; k < shifted.elements(); ++k) {
      shifted[k] -= memory.gradient().data[k] * static_cast<float>(shifted.elements()) / 2;
    }
    backward(mse(again, shifted));
    for (std::size_t k = 0; k < encoder.parameters().size(); ++k) {
      const Parameter &got = *encoder.parameters()[k], &expected = *same_encoder.parameters()[k];
      expect_near(got.gradient, expected.gradient, 1e-6, options.score + " " + got.name);
    }
  }
}

// The program in attention.h, on reversing a text: tokens into both, the decoder fed with the token before. What it
// learned from 128 of the 256 texts must hold for 128 drawn anew.
TEST(AttentionDecoder, AnEncoderAndADecoderLearnToReverseTexts) {
  constexpr std::int64_t kSteps = 4, kBatch = 128, kSymbols = 4;
  struct Texts {
    IdTensor source{{kSteps, kBatch}}, target{{kSteps, kBatch}}, next_target{{kSteps, kBatch}};
  };
  const auto draw = [](std::uint64_t seed) {
    Texts texts;
    for (std::int64_t e = 0; e < kSteps * kBatch; ++e) {
      texts.source[e] =
          static_cast<std::int32_t>(uniform_below({seed, Purpose::kTest, 0}, static_cast<std::uint64_t>(e), kSymbols)) +
          1;
    }
    for (std::int64_t e = 0; e < kSteps * kBatch; ++e) {
      const std::int64_t t = e / kBatch, n = e % kBatch;
      texts.next_target[e] = texts.source[(kSteps - 1 - t) * kBatch + n];
      texts.target[e] = t == 0 ? 0 : texts.next_target[e - kBatch];
    }
    return texts;
  };
  Sequential encoder{Embedding{kSymbols + 1, 8},
                     Recurrent{{.cell = "gru", .input_size = 8, .hidden_size = 8, .bidirectional = true}}};
  Sequential decoder{
      Embedding{kSymbols + 1, 8},
      AttentionDecoder{{.cell = "gru", .input_size = 8, .hidden_size = 16, .memory_size = 16, .output_size = 16}},
      Linear{16, kSymbols + 1}};
  const Texts texts = draw(1), test = draw(2);
  for (int step = 0; step < 200; ++step) {
    const Variable encoded = encoder(texts.source);
    backward(cross_entropy(decoder({.ids = &texts.target, .memory = encoded}), texts.next_target));
    for (Sequential* net : {&encoder, &decoder}) descend(*net, 1.0f);
  }
  const Tensor encoded = encoder.predict(test.source);
  const Tensor scores = decoder.predict({.ids = &test.target, .memory_values = &encoded});
  int right = 0;
  for (std::int64_t row = 0; row < kSteps * kBatch; ++row) {
    const float* score = scores.data() + row * (kSymbols + 1);
    right += std::max_element(score, score + kSymbols + 1) - score == test.next_target[row] ? 1 : 0;
  }
  EXPECT_GE(right, kSteps * kBatch * 9 / 10);  // one of four by guessing
}

// Reversing a sequence: the t-th output is the input at T - 1 - t, so the decoder must learn where to look. The source
// is at hand as it is, so there is no other way than through the alignment.
TEST(AttentionDecoder, LearnsToReadItsMemoryBackwards) {
  constexpr std::int64_t kSteps = 4, kBatch = 32, kSymbols = 4;
  const auto make = [](std::uint64_t seed, Tensor& memory, IdTensor& labels) {
    for (std::int64_t n = 0; n < kBatch; ++n) {
      for (std::int64_t t = 0; t < kSteps; ++t) {
        const auto symbol = static_cast<std::int64_t>(
            uniform_below({seed, Purpose::kTest, 0}, static_cast<std::uint64_t>(n * kSteps + t), kSymbols));
        float* row = memory.data() + (t * kBatch + n) * (kSteps + kSymbols);
        row[t] = row[kSteps + symbol] = 1;  // where it stands and what it is
        labels[(kSteps - 1 - t) * kBatch + n] = static_cast<std::int32_t>(symbol);
      }
    }
  };
  Tensor clock({kSteps, kBatch, kSteps}), memory({kSteps, kBatch, kSteps + kSymbols}), test_memory = memory;
  for (std::int64_t row = 0; row < kSteps * kBatch; ++row) clock[row * kSteps + row / kBatch] = 1;
  IdTensor labels({kSteps, kBatch}), test_labels = labels;
  make(1, memory, labels);
  make(2, test_memory, test_labels);
  Sequential net{AttentionDecoder{{.cell = "gru",
                                   .input_size = kSteps,
                                   .hidden_size = 16,
                                   .memory_size = kSteps + kSymbols,
                                   .score = "general",
                                   .output_size = 16}},
                 Linear{16, kSymbols}};
  for (int step = 0; step < 400; ++step) {
    backward(cross_entropy(net({.values = &clock, .memory_values = &memory}), labels));
    descend(net, 1.0f);
  }
  std::vector<Tensor> alignments;
  const Tensor scores = net.predict({.values = &clock, .memory_values = &test_memory, .alignments = &alignments});
  int right = 0, looks_there = 0;
  for (std::int64_t row = 0; row < kSteps * kBatch; ++row) {
    const float* score = scores.data() + row * kSymbols;
    right += std::max_element(score, score + kSymbols) - score == test_labels[row] ? 1 : 0;
    looks_there += alignments[0][row * kSteps + kSteps - 1 - row / kBatch] > 0.5f ? 1 : 0;
  }
  EXPECT_EQ(kSteps * kBatch, right);
  EXPECT_EQ(kSteps * kBatch, looks_there);
}

}  // namespace
}  // namespace carousel
