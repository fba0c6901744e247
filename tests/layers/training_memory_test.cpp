// Oracle: what the arena of a tape hands out at most while the network runs, forward and backward.
#include "layers/training_memory.h"

#include <gtest/gtest.h>

#include <numeric>

#include "autograd/ops/mean.h"
#include "base/fail.h"
#include "base/thread_pool.h"
#include "carousel/attention.h"
#include "carousel/convolution.h"
#include "cells/cell.h"
#include "layers/mixture.h"
#include "layers/module.h"
#include "layers/output/tied_linear.h"
#include "layers/tokens/embedding_dropout.h"
#include "layers/tokens/sentence_encoder.h"
#include "layers/tokens/series_embedding.h"
#include "layers/tokens/token_inputs.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

struct Batch {
  std::int64_t time_steps, samples, features;  // features 0: token ids
  std::vector<std::int32_t> lengths = {};
  std::int64_t distinct = 0;
  std::int64_t checkpoint_steps = 0;
  bool packed = false;
};

PassSizes sizes_of(const Batch& b) {
  PassSizes sizes{.time_steps = b.time_steps, .samples = b.samples, .rows = b.time_steps * b.samples};
  if (!b.lengths.empty()) sizes.rows = std::accumulate(b.lengths.begin(), b.lengths.end(), std::int64_t{0});
  sizes.features = b.features;
  sizes.distinct_tokens = b.distinct;
  sizes.checkpoint_steps = b.checkpoint_steps;
  sizes.packed = b.packed;
  return sizes;
}

std::int64_t measured(Sequential& network, const Batch& b, bool training) {
  Tensor values({b.time_steps, b.samples, b.features});
  IdTensor ids({b.time_steps, b.samples});
  for (std::int64_t k = 0; k < ids.elements(); ++k)
    ids[k] = static_cast<std::int32_t>(k % std::max(b.distinct, std::int64_t{1}));
  detail::PassInput input;
  if (b.features > 0) {
    input.values = &values;
  } else {
    input.ids = &ids;
  }
  input.lengths = b.lengths;
  input.checkpoint_steps = b.checkpoint_steps;
  input.packed = b.packed;
  Tape<float> tape;
  tape.set_recording(training);
  SequenceLayout layout;
  const Variable output = detail::run_pass(network, tape, layout, input, training, {});
  if (training) tape.backward(mean(output));
  return static_cast<std::int64_t>(tape.arena().peak());
}

// Within 10 % is promised; what these networks and sizes leave is the rounding of pieces and the nodes.
void expect_predicted(Sequential network, const Batch& batch) {
  const LayerDescription description = network.describe();
  set_threads(1);  // a matrix memory has a workspace for each thread; and one does not wait for a busy machine
  for (const bool training : {true, false}) {
    const auto got = static_cast<double>(training ? training_pass_bytes(description, sizes_of(batch))
                                                  : inference_pass_bytes(description, sizes_of(batch)));
    const auto expected = static_cast<double>(measured(network, batch, training));
    EXPECT_NEAR(got / expected, 1, 0.02) << (training ? "training, " : "inference, ") << got << " of " << expected
                                         << ", checkpoints every " << batch.checkpoint_steps;
  }
  set_threads(0);
}

RecurrentOptions recurrent(const std::string& cell, std::int64_t input_size) {
  return {.cell = cell, .input_size = input_size, .hidden_size = 48, .layers = 2, .dropout = 0.2};
}

TEST(TrainingMemory, EveryCellWithAndWithoutCheckpoints) {
  for (const Cell& cell : all_cells()) {
    SCOPED_TRACE(cell.name);
    for (const std::int64_t checkpoint_steps : {0, 20, 100}) {
      for (const char* kind : {"last", "mean"}) {
        Batch batch{300, 8, 3};
        batch.checkpoint_steps = checkpoint_steps;
        expect_predicted(Sequential{Recurrent{recurrent(std::string(cell.name), 3)}, Pool{kind}, Linear{48, 5}}, batch);
      }
    }
  }
}

TEST(TrainingMemory, BothDirectionsOfCellsThatReadTheLayerBelow) {
  for (const char* cell : {"depth_gated_peephole", "grid_lstm", "grid_lstm_priority"}) {
    SCOPED_TRACE(cell);
    RecurrentOptions options = recurrent(cell, 3);
    options.bidirectional = true;
    expect_predicted(Sequential{Recurrent{options}, Pool{"mean"}, Linear{96, 5}}, {200, 8, 3});
  }
}

TEST(TrainingMemory, HeadsAndProjectedRecurrentStates) {
  RecurrentOptions heads = recurrent("slstm", 3), states = recurrent("lstm_fgr", 3);
  heads.heads = 4;
  states.proj_size = 16;
  expect_predicted(Sequential{Recurrent{heads}, Pool{"last"}, Linear{48, 5}}, {200, 8, 3});
  expect_predicted(Sequential{Recurrent{states}, Pool{"last"}, Linear{16, 5}}, {200, 8, 3});
}

TEST(TrainingMemory, JoinedLayers) {
  for (const char* cell : {"lstm", "grid_lstm"}) {
    for (const char* connection : {"none", "residual", "highway"}) {
      for (const char* merge : {"none", "concat", "mean"}) {  // none: one direction
        for (const char* kind : {"last", "mean"}) {
          RecurrentOptions options = recurrent(cell, 3);
          options.connection = connection;
          options.bidirectional = merge != std::string("none");
          if (options.bidirectional) options.merge = merge;
          options.learned_initial_state = true;
          if (options.merge == "mean" && options.connection != "none" && kind == std::string("last")) continue;
          SCOPED_TRACE(fmt::format("{} {} {} {}", cell, connection, merge, kind));
          const std::int64_t width = options.bidirectional && options.merge == "concat" ? 96 : 48;
          expect_predicted(Sequential{Recurrent{options}, Pool{kind}, Linear{width, 5}}, {200, 8, 3});
        }
      }
    }
  }
  Batch tokens{300, 16, 0};
  tokens.distinct = 40;
  RecurrentOptions options = recurrent("gru", 48);
  options.connection = "residual";
  options.tied = true;
  expect_predicted(Sequential{Embedding{40, 48}, Recurrent{options}, Pool{"mean"}}, tokens);
  expect_predicted(Sequential{FixedEmbedding{40, 48}, Recurrent{options}, Pool{"mean"}}, tokens);
  expect_predicted(Sequential{OneHot{40}, Recurrent{recurrent("gru", 40)}, Pool{"mean"}}, tokens);
  WordPieces words;
  for (std::int32_t word = 0; word < 40; ++word) words.add(std::vector<std::int32_t>{word, 2 * word, 7});
  expect_predicted(Sequential{HashedEmbedding{words, 100, 48}, Recurrent{options}, Pool{"mean"}}, tokens);
}

TEST(TrainingMemory, AMatrixMemoryWithAndWithoutCheckpoints) {
  for (const bool bidirectional : {false, true}) {
    for (const std::int64_t checkpoint_steps : {0, 20, 100}) {
      RecurrentOptions options = recurrent("mlstm", 3);
      options.bidirectional = bidirectional;
      options.heads = 2;
      Batch batch{300, 16, 3};
      batch.checkpoint_steps = checkpoint_steps;
      expect_predicted(Sequential{Recurrent{options}, Pool{"mean"}, Linear{bidirectional ? 96 : 48, 5}}, batch);
    }
  }
  Batch tokens{300, 16, 0};
  tokens.distinct = 40;
  expect_predicted(Sequential{Embedding{40, 8}, Recurrent{recurrent("mlstm", 8)}, Pool{"mean"}}, tokens);
}

TEST(TrainingMemory, LengthsBothDirectionsAndRecurrentDropout) {
  Batch batch{200, 12, 5, {200, 180, 160, 30, 20, 10, 200, 190, 1, 90, 80, 70}};
  for (const std::int64_t checkpoint_steps : {0, 15}) {
    batch.checkpoint_steps = checkpoint_steps;
    RecurrentOptions options = recurrent("gru", 5);
    options.bidirectional = true;
    options.recurrent_dropout = 0.1;
    expect_predicted(Sequential{Scale{Tensor({5}), Tensor({5})}, Recurrent{options}, Pool{"max"}, Linear{96, 2}},
                     batch);
  }
}

TEST(TrainingMemory, Mixtures) {
  Sequential gate, network;
  gate.add("memberships", std::make_unique<Memberships>(Tensor({3, 40 * 5}), 1.5));
  std::vector<Sequential> networks;
  for (int k = 0; k < 3; ++k) {
    networks.push_back(Sequential{Recurrent{recurrent("lstm", 5)}, Pool{"last"}, Dropout{0.2}, Linear{48, 24}});
  }
  network.add("clusters", std::make_unique<Mixture>(std::move(gate), std::move(networks)));
  expect_predicted(std::move(network), {40, 20, 5});
}

TEST(TrainingMemory, SeriesEmbeddings) {
  for (const double dropout : {0.0, 0.3}) {
    Sequential network;
    network.add("series", std::make_unique<SeriesEmbedding>(30, 6, dropout));
    network.add("recurrent", std::make_unique<Recurrent>(recurrent("gru", 10)));
    network.add("pool", std::make_unique<Pool>("last"));
    expect_predicted(std::move(network), {200, 16, 5});
  }
}

// 12 documents of 20 sentences of 9 words, the last one without a mark behind it.
TEST(TrainingMemory, SentencesOfDocuments) {
  Sequential words{Embedding{40, 24}, Dropout{0.2}, Recurrent{recurrent("gru", 24)}, AttentionPool{48, 32}}, network;
  network.add("words", std::make_unique<SentenceEncoder>(std::move(words), 3));
  network.add("recurrent", std::make_unique<Recurrent>(recurrent("lstm", 48)));
  network.add("pool", std::make_unique<AttentionPool>(48, 32));
  constexpr std::int64_t kSentences = 20, kWords = 9, T = kSentences * (kWords + 1) - 1, N = 12;
  IdTensor ids({T, N});
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::int64_t n = 0; n < N; ++n) {
      ids[t * N + n] = t % (kWords + 1) == kWords ? 3 : static_cast<std::int32_t>(4 + (t + n) % 36);
    }
  }
  PassSizes sizes{.time_steps = T, .samples = N, .rows = T * N, .distinct_tokens = 37};
  sizes.sentences = N * kSentences;
  sizes.sentence_steps = kWords;
  sizes.document_sentences = kSentences;
  set_threads(1);
  Tape<float> tape;
  SequenceLayout layout;
  detail::PassInput input;
  input.ids = &ids;
  tape.backward(mean(detail::run_pass(network, tape, layout, input, true, {})));
  set_threads(0);
  EXPECT_NEAR(
      static_cast<double>(training_pass_bytes(network.describe(), sizes)) / static_cast<double>(tape.arena().peak()), 1,
      0.02);
}

TEST(TrainingMemory, AttentionPooling) {
  Batch batch{200, 12, 5, {200, 180, 160, 30, 20, 10, 200, 190, 1, 90, 80, 70}};
  expect_predicted(Sequential{Recurrent{recurrent("gru", 5)}, AttentionPool{48, 32}, Linear{48, 2}}, batch);
  expect_predicted(Sequential{AttentionPool{5, 30}}, batch);
}

TEST(TrainingMemory, ARowForEveryStepPaddedAndPacked) {
  Batch batch{200, 12, 5, {200, 180, 160, 30, 20, 10, 200, 190, 1, 90, 80, 70}};
  for (const bool packed : {false, true}) {
    batch.packed = packed;
    expect_predicted(Sequential{Recurrent{recurrent("lstm", 5)}, Linear{48, 88}}, batch);
  }
}

TEST(TrainingMemory, SeveralCellsAStep) {
  for (const char* cell : {"gru", "gru_reset_before", "lstm_peephole", "lstm_fgr", "lstm_layer_norm"}) {
    SCOPED_TRACE(cell);
    for (const std::int64_t checkpoint_steps : {0, 15}) {
      Batch batch{40, 64, 5};
      batch.checkpoint_steps = checkpoint_steps;
      RecurrentOptions options = recurrent(cell, 5);
      options.transitions = 3;
      if (find_cell(cell).projection) options.proj_size = 16;
      expect_predicted(Sequential{Recurrent{options}, Pool{"last"}}, batch);
    }
  }
}

TEST(TrainingMemory, AllThatALayerCanHave) {
  for (const bool tied : {false, true}) {
    RecurrentOptions options = recurrent("lstm_layer_norm", 24);
    options.hidden_size = 24;
    options.layers = 3;
    options.connection = tied ? "residual" : "highway";
    options.learned_initial_state = true;
    options.tied = tied;
    options.zoneout = 0.1;
    options.transitions = 2;
    options.recurrent_dropout = 0.2;
    expect_predicted(Sequential{Linear{5, 24}, Recurrent{options}, Pool{"last"}}, Batch{40, 64, 5});
  }
}

TEST(TrainingMemory, Zoneout) {
  for (const char* cell : {"gru", "lstm", "jordan", "slstm"}) {
    SCOPED_TRACE(cell);
    for (const std::int64_t checkpoint_steps : {0, 15}) {
      Batch batch{40, 64, 5};
      batch.checkpoint_steps = checkpoint_steps;
      RecurrentOptions options = recurrent(cell, 5);
      options.zoneout = 0.1;
      if (options.cell != "gru") options.zoneout_memory = 0.5;
      if (options.cell == "jordan") options.proj_size = 16;
      expect_predicted(Sequential{Recurrent{options}, Pool{"last"}}, batch);
    }
  }
}

TEST(TrainingMemory, ProjectionAndAStackOfLayers) {
  for (const std::int64_t checkpoint_steps : {0, 25}) {
    Batch batch{250, 20, 4};
    batch.checkpoint_steps = checkpoint_steps;
    RecurrentOptions options = recurrent("lstm", 24);
    options.proj_size = 16;
    expect_predicted(Sequential{Linear{4, 24}, Activation{"tanh"}, Recurrent{options}, LayerNorm{16}, Dropout{0.5},
                                Pool{"last"}, Linear{16, 3}},
                     batch);
  }
}

TEST(TrainingMemory, FoldedAndUnfoldedTokens) {
  for (const std::int64_t checkpoint_steps : {0, 10}) {
    Batch batch{100, 32, 0};
    batch.distinct = 700;
    batch.checkpoint_steps = checkpoint_steps;
    expect_predicted(Sequential{Embedding{2000, 40}, Recurrent{recurrent("lstm", 40)}, Pool{"mean"}, Linear{48, 4}},
                     batch);
    expect_predicted(Sequential{Embedding{2000, 48}, EmbeddingDropout{0.3}, Recurrent{recurrent("lstm", 48)},
                                TiedLinear{2000}, Pool{"mean"}},
                     batch);
    expect_predicted(
        Sequential{Embedding{2000, 40}, Dropout{0.3}, Recurrent{recurrent("gru", 40)}, Pool{"mean"}, Linear{48, 4}},
        batch);
  }
}

TEST(TrainingMemory, BranchesAndAFixedLength) {
  std::vector<Sequential> branches;
  branches.push_back(Sequential{Recurrent{recurrent("lstm", 2)}, Pool{"last"}, Linear{48, 12}});
  branches.push_back(Sequential{Flatten{120}, Linear{240, 12}});
  expect_predicted(Sequential{Sum{std::move(branches)}}, {120, 32, 2});
}

TEST(TrainingMemory, ConvolutionAndSelfAttention) {
  Batch tokens{60, 24, 0};
  tokens.distinct = 300;
  const auto conv = [](const std::string& padding) {
    return Conv1d{{.input_size = 32, .output_size = 40, .kernel_size = 3, .padding = padding}};
  };
  for (const std::string padding : {"same", "valid"}) {
    expect_predicted(Sequential{Embedding{500, 32}, conv(padding), Activation{"gelu"}, Pool{"max"}, Linear{40, 4}},
                     tokens);
    expect_predicted(Sequential{conv(padding), Activation{"relu"}, Pool{"mean"}}, {80, 20, 32});
  }
  std::vector<Sequential> branches;
  for (const std::string padding : {"same", "valid"}) branches.push_back(Sequential{conv(padding), Pool{"max"}});
  expect_predicted(Sequential{Embedding{500, 32}, Sum{std::move(branches)}}, tokens);
  expect_predicted(Sequential{Linear{3, 32}, MultiHeadAttention{{.input_size = 32, .heads = 4}}, Pool{"mean"}},
                   {100, 16, 3});
  expect_predicted(
      Sequential{MultiHeadAttention{{.input_size = 32, .heads = 2, .causal = true, .bias = false}}, Pool{"max"}},
      {50, 30, 32});
  const Sequential decoder{AttentionDecoder{{.input_size = 3, .hidden_size = 4, .memory_size = 5, .output_size = 2}}};
  expect_error(Code::kUsage, {"attention_decoder"}, [&] { training_pass_bytes(decoder.describe(), {}); });
}

// Of targets that are equally long; with others, copies of the states of the samples that go on are not counted. 3 %:
// each step has nodes and pieces of its own.
TEST(TrainingMemory, ADecoderWithAttention) {
  constexpr std::int64_t kTargetSteps = 15, kSourceSteps = 20, N = 24, I = 32, H = 48, E = 64;
  const Tensor x({kTargetSteps, N, I}), memory({kSourceSteps, N, E});
  std::vector<std::int32_t> source_lengths;
  for (std::int64_t n = 0; n < N; ++n) source_lengths.push_back(static_cast<std::int32_t>(kSourceSteps - n % 7));
  AttentionDecoderOptions o{.cell = "lstm", .input_size = I, .hidden_size = H, .memory_size = E, .output_size = 40};
  std::vector<AttentionDecoderOptions> list{o};
  o.cell = "gru";
  o.score = "concat";
  o.attention_size = 56;
  list.push_back(o);
  o.coverage = true;
  list.push_back(o);
  o.score = "additive";
  o.output_size = 0;
  o.coverage = false;
  list.push_back(o);
  set_threads(1);
  for (const AttentionDecoderOptions& options : list) {
    Sequential net{AttentionDecoder{options}};
    PassSizes sizes{.time_steps = kTargetSteps, .samples = N, .rows = kTargetSteps * N, .features = I};
    for (const std::int32_t length : source_lengths) {
      sizes.memory_rows += length;
      sizes.memory_pairs += kTargetSteps * length;
    }
    for (const bool training : {true, false}) {
      Tape<float> tape;
      tape.set_recording(training);
      SequenceLayout layout;
      detail::PassInput input;
      input.values = &x;
      input.memory_values = &memory;
      input.memory_lengths = source_lengths;
      const Variable output = detail::run_pass(net, tape, layout, input, training, {});
      if (training) tape.backward(mean(output));
      const LayerDescription description = net.describe();
      const auto got = static_cast<double>(training ? training_pass_bytes(description, sizes)
                                                    : inference_pass_bytes(description, sizes));
      EXPECT_NEAR(got / static_cast<double>(tape.arena().peak()), 1, 0.03)
          << options.score << (training ? ", training " : ", inference ") << got << " of " << tape.arena().peak();
    }
  }
  set_threads(0);
}

// What --max-memory rests on: a long sequence takes the less, the nearer the steps between checkpoints are to sqrt(T).
TEST(TrainingMemory, CheckpointsOfALongSequenceShrinkIt) {
  const LayerDescription description =
      Sequential{Recurrent{recurrent("lstm", 1)}, Pool{"mean"}, Linear{48, 2}}.describe();
  PassSizes sizes{.time_steps = 1'000'000, .samples = 1, .rows = 1'000'000, .features = 1};
  const std::int64_t whole = training_pass_bytes(description, sizes);
  sizes.checkpoint_steps = 1000;
  const std::int64_t outputs = std::int64_t{2} * 2 * 1'000'000 * 48 * 4;  // of two layers, and their gradients
  const std::int64_t dropped = std::int64_t{2} * 1'000'000 * 48 * 4;      // dropout between: value and mask
  EXPECT_GT(whole, outputs + dropped + std::int64_t{2} * 7 * 1'000'000 * 48 * 4);
  EXPECT_LT(training_pass_bytes(description, sizes), (outputs + dropped) * 5 / 4 + (outputs / 4));
}

}  // namespace
}  // namespace carousel
