// chorale_program.h: what vrnn.cpp and storn.cpp do with their model: train it, hold it against simpler ones, and draw
// what it makes up.
#pragma once

#include <carousel/carousel.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "chorales.h"
#include "frame_lstm.h"
#include "piano_roll.h"
#include "sequence_model.h"

namespace generative {

// A chorale of the test, two that the model made up, one that the LSTM made up.
inline void draw_chorales(const std::string& path, const std::string& name, const carousel::Tensor& heard,
                          SequenceModel& model, SequenceModel& lstm) {
  constexpr std::int64_t kFrames = 96;
  carousel::Graph graph(3);
  graph.set_recording(false);
  std::mt19937 random(3);
  const carousel::Tensor made = model.generate(graph, {kFrames, 2, kKeys}, random);
  const carousel::Tensor by_lstm = lstm.generate(graph, {kFrames, 1, kKeys}, random);
  Picture picture(PianoRoll::kWidth, 4 * PianoRoll::kHeight);
  PianoRoll(picture, 0, "#333").draw("A chorale of the test part", heard, 0);
  PianoRoll(picture, PianoRoll::kHeight, "#b3432b").draw("Made up by the " + name, made, 0);
  PianoRoll(picture, 2 * PianoRoll::kHeight, "#b3432b").draw("Made up by the " + name + ", another one", made, 1);
  PianoRoll(picture, 3 * PianoRoll::kHeight, "#2b6cb3").draw("Made up by an LSTM without latent variables", by_lstm, 0);
  picture.save(path);
}

struct ChoraleOptions {
  std::string data, picture;
  int epochs = 0;
};

inline void run_chorales(const std::string& name, SequenceModel& model, const ChoraleOptions& options) {
  constexpr std::size_t kBatchSize = 8, kTestBatchSize = 40;
  constexpr int kDraws = 16;
  const Chorales chorales = read_chorales(options.data);
  const std::vector<Batch> known = make_batches(chorales.train, kBatchSize);
  const std::vector<Batch> valid = make_batches(chorales.valid, kTestBatchSize);
  const std::vector<Batch> test = make_batches(chorales.test, kTestBatchSize);
  std::printf("%zu pieces for training, %zu for validation, %zu for the test; nats per frame of %d keys\n",
              chorales.train.size(), chorales.valid.size(), chorales.test.size(), kKeys);
  FrameLstm lstm(200, 0.4);
  const Bound lstm_valid = train(lstm, known, valid, {.epochs = options.epochs, .lr = 3e-3, .verbose = false});
  const Bound model_valid = train(model, known, valid, {.epochs = options.epochs});

  const double keys_valid = key_frequency_nll(chorales.train, chorales.valid);
  const double keys_test = key_frequency_nll(chorales.train, chorales.test);
  const Bound model_test = measure_bound(model, test);
  std::printf("%-36s %10s %10s\n", "", "validation", "test");
  const auto print = [](const std::string& what, double at_valid, double at_test) {
    std::printf("%-36s %10.2f %10.2f\n", what.c_str(), at_valid, at_test);
  };
  print("frequency of each key", keys_valid, keys_test);
  print("LSTM", lstm_valid.value(), measure_bound(lstm, test).value());
  print(name + ", bound", model_valid.value(), model_test.value());
  print("  of it divergence", model_valid.divergence, model_test.divergence);
  print(name + ", bound from " + std::to_string(kDraws) + " draws", measure_importance_bound(model, valid, kDraws),
        measure_importance_bound(model, test, kDraws));
  std::printf("bound below the frequency of each key: %s\n", model_test.value() < keys_test ? "yes" : "no");
  draw_chorales(options.picture, name, make_batch({chorales.test.front()}).frames, model, lstm);
}

// The whole of main(): `program` is its name on the command line.
inline int chorale_main(const char* program, const std::string& name, SequenceModel& model, int argc, char** argv) try {
  constexpr int kEpochs = 60;
  const int epochs = argc == 4 ? std::atoi(argv[3]) : kEpochs;
  if (argc < 3 || argc > 4 || epochs < 1) {
    std::fprintf(stderr, "usage: %s CHORALES.json PICTURE.svg [EPOCHS]\n", program);
    return carousel::exit_status(carousel::Code::kUsage);
  }
  run_chorales(name, model, {argv[1], argv[2], epochs});
  return 0;
} catch (const carousel::Error& error) {
  std::fprintf(stderr, "%s: %s\n", program, error.what());
  return carousel::exit_status(error.code());
}

}  // namespace generative
