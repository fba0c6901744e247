// Memory of an encoder and a decoder. Oracle: what the arena of a tape hands out at most while the network runs.
#include <gtest/gtest.h>

#include <string>

#include "autograd/ops/mean.h"
#include "base/thread_pool.h"
#include "carousel/attention.h"
#include "layers/attention/sequence_to_sequence.h"
#include "layers/module.h"
#include "layers/training_memory.h"

namespace carousel {
namespace {

constexpr std::int64_t C = 3, kWindow = 40, kHorizon = 12, kUnits = 48, kTargets = 6, N = 32;

Sequential network(const std::string& score, std::int64_t known, bool scaled = false) {
  const bool additive = score == "additive";
  Sequential encoder{Recurrent{{.input_size = C, .hidden_size = kUnits, .layers = 2, .dropout = 0.2}}}, decoder;
  if (score == "none") {
    const RecurrentOptions options{.cell = "gru", .input_size = known + 1, .hidden_size = kUnits};
    decoder.add("0", std::make_unique<Recurrent>(options));
  } else {
    const AttentionDecoderOptions options{.cell = "gru",
                                          .input_size = known + 1,
                                          .hidden_size = kUnits,
                                          .memory_size = kUnits,
                                          .score = score,
                                          .scaled = scaled,
                                          .attention_size = additive ? kUnits : 0,
                                          .output_size = additive ? 0 : kUnits};
    decoder.add("0", std::make_unique<AttentionDecoder>(options));
  }
  decoder.add("1", std::make_unique<Linear>(kUnits, kTargets));
  const std::int64_t states = additive || score == "none" ? kUnits : 2 * kUnits;  // with input feeding
  Sequential bridge{Pool{"last"}, Linear{kUnits, states}, Activation{"tanh"}}, parts, whole;
  parts.add("encoder", std::make_unique<Sequential>(std::move(encoder)));
  parts.add("bridge", std::make_unique<Sequential>(std::move(bridge)));
  parts.add("decoder", std::make_unique<Sequential>(std::move(decoder)));
  const SequenceToSequenceOptions options{.steps = kHorizon, .first_known = 1, .known_count = known, .blocks = 2};
  whole.add("both", std::make_unique<SequenceToSequence>(std::move(parts), options));
  return whole;
}

// 3 %: each step has nodes and pieces of its own.
TEST(TrainingMemory, AnEncoderAndADecoder) {
  set_threads(1);
  const Tensor x({kWindow, N, C});
  const PassSizes sizes{.time_steps = kWindow, .samples = N, .rows = kWindow * N, .features = C};
  for (const char* score : {"general", "additive", "none"}) {
    for (const std::int64_t known : {0, 2}) {
      Sequential net = network(score, known);
      const LayerDescription description = net.describe();
      for (const bool training : {true, false}) {
        Tape<float> tape;
        tape.set_recording(training);
        SequenceLayout layout;
        const Variable output = detail::run_pass(net, tape, layout, {.values = &x, .lengths = {}}, training, {});
        if (training) tape.backward(mean(output));
        const auto got = static_cast<double>(training ? training_pass_bytes(description, sizes)
                                                      : inference_pass_bytes(description, sizes));
        EXPECT_NEAR(got / static_cast<double>(tape.arena().peak()), 1, 0.03)
            << score << ", " << known << " known" << (training ? ", training" : "");
      }
    }
  }
  set_threads(0);
}

// What scaling adds is too little of the whole for the test above: the difference alone, to 1 %.
TEST(TrainingMemory, ScaledScores) {
  set_threads(1);
  const Tensor x({kWindow, N, C});
  const PassSizes sizes{.time_steps = kWindow, .samples = N, .rows = kWindow * N, .features = C};
  for (const char* score : {"general", "dot"}) {
    double told[2], measured[2];
    for (const bool scaled : {false, true}) {
      Sequential net = network(score, 0, scaled);
      Tape<float> tape;
      SequenceLayout layout;
      tape.backward(mean(detail::run_pass(net, tape, layout, {.values = &x, .lengths = {}}, true, {})));
      told[scaled] = static_cast<double>(training_pass_bytes(net.describe(), sizes));
      measured[scaled] = static_cast<double>(tape.arena().peak());
    }
    EXPECT_NEAR((told[1] - told[0]) / (measured[1] - measured[0]), 1, 0.01) << score;
  }
  set_threads(0);
}

}  // namespace
}  // namespace carousel
