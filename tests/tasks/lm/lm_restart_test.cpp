// Oracle: each stream scored by itself from where it began last, by the numbers that decide it. The start is learned,
// so that it is not 0.
#include <gtest/gtest.h>

#include "base/random.h"
#include "tasks/lm/lm_model.h"
#include "tasks/lm/lm_training.h"

namespace carousel {
namespace {

constexpr std::int64_t kVocabulary = 9;

TEST(LmProblem, NowAndThenAStreamBeginsAnew) {
  constexpr std::int64_t kStreams = 60, kChunk = 3, kChunks = 8;
  TokenStream text;
  for (std::uint64_t k = 0; k < kStreams * kChunk * kChunks; ++k) {
    text.ids.push_back(static_cast<std::int32_t>(uniform_below({9, Purpose::kTest, 1}, k, kVocabulary)));
  }
  ModelOptions model;
  model.cell = "lstm";
  model.hidden_size = model.embedding_size = 6;
  model.layers = 2;
  model.dropout = 0;
  model.learned_initial_state = true;
  Sequential network = build_lm(model, std::vector<std::string>(kVocabulary));
  network.initialize(3);
  for (Parameter* parameter : network.parameters()) {
    if (parameter->name.starts_with("initial_"))
      fill_normal({4, Purpose::kTest, 0}, 0.0f, 1.0f, parameter->value.span());
  }
  TrainOptions options;
  options.batch_size = kStreams;
  options.bptt = kChunk;
  LmProblem problem(network, {&text, &text, 3, TextLevel::kCharacter}, options);
  ASSERT_EQ(kChunks, problem.batches_in_epoch(0));
  std::vector<std::int64_t> begins(kStreams, 0);  // in chunks
  std::int64_t restarts = 0;
  for (std::int64_t chunk = 0; chunk < kChunks; ++chunk) {
    double expected = 0;
    for (std::int64_t n = 0; n < kStreams; ++n) {
      const RandomKey key{static_cast<std::uint64_t>(options.seed), Purpose::kShuffle,
                          static_cast<std::uint64_t>(chunk)};
      std::int64_t& begin = begins[static_cast<std::size_t>(n)];
      if (chunk > 0 && uniform(key, static_cast<std::uint64_t>(n)) < 0.01f) {
        begin = chunk;
        ++restarts;
      }
      const std::int64_t at = (n * kChunks + begin) * kChunk, count = (chunk - begin + 1) * kChunk;
      const std::int32_t start = at == 0 ? 3 : text.ids[static_cast<std::size_t>(at - 1)];
      const auto part = std::span(text.ids).subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
      const StreamScore score = score_stream(network, part, start);
      for (std::size_t t = score.losses.size() - kChunk; t < score.losses.size(); ++t) expected += score.losses[t];
    }
    Tape<float> tape;
    problem.prepare(0, chunk);
    EXPECT_NEAR(problem.loss(tape, 0, chunk).item(), expected / (kStreams * kChunk), 1e-6) << chunk;
  }
  EXPECT_GE(restarts, 2);
}

}  // namespace
}  // namespace carousel
