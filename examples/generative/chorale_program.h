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

struct ChoraleProgram {
  std::string command, name;  // on the command line, in the picture
  int epochs = 0;             // if none are asked for
};

inline void run_chorales(const ChoraleProgram& program, SequenceModel& model, const std::string& data,
                         const std::string& picture) {
  constexpr std::size_t kBatchSize = 8, kTestBatchSize = 38;
  constexpr int kLstmEpochs = 60, kDraws = 16;
  const Chorales chorales = read_chorales(data);
  Picture(1, 1).save(picture);  // one that cannot be written is found before the training
  const std::vector<Batch> known = make_batches(chorales.train, kBatchSize);
  const std::vector<Batch> valid = make_batches(chorales.valid, kTestBatchSize);
  const std::vector<Batch> test = make_batches(chorales.test, kTestBatchSize);
  std::printf("%zu pieces for training, %zu for validation, %zu for the test; nats per frame of %d keys\n",
              chorales.train.size(), chorales.valid.size(), chorales.test.size(), kKeys);
  std::printf("an LSTM first, %d epochs\n", kLstmEpochs);
  std::fflush(stdout);
  FrameLstm lstm(200, 0.4);
  const Bound lstm_valid = train(lstm, known, valid, {.epochs = kLstmEpochs, .verbose = false});
  const Bound model_valid = train(model, known, valid, {.epochs = program.epochs});

  const double keys_valid = key_frequency_nll(chorales.train, chorales.valid);
  const double keys_test = key_frequency_nll(chorales.train, chorales.test);
  const Bound model_test = measure_bound(model, test);
  std::printf("%-36s %10s %10s\n", "", "validation", "test");
  const auto print = [](const std::string& what, double at_valid, double at_test) {
    std::printf("%-36s %10.2f %10.2f\n", what.c_str(), at_valid, at_test);
  };
  print("frequency of each key", keys_valid, keys_test);
  print("LSTM", lstm_valid.value(), measure_bound(lstm, test).value());
  print(program.name + ", bound", model_valid.value(), model_test.value());
  print("  of it divergence", model_valid.divergence, model_test.divergence);
  print(program.name + ", bound from " + std::to_string(kDraws) + " draws",
        measure_importance_bound(model, valid, kDraws), measure_importance_bound(model, test, kDraws));
  std::printf("bound below the frequency of each key: %s\n", model_test.value() < keys_test ? "yes" : "no");
  draw_chorales(picture, program.name, make_batch({chorales.test.front()}).frames, model, lstm);
}

// The whole of main().
inline int chorale_main(ChoraleProgram program, SequenceModel& model, int argc, char** argv) try {
  if (argc == 4) program.epochs = std::atoi(argv[3]);
  if (argc < 3 || argc > 4 || program.epochs < 1) {
    std::fprintf(stderr, "usage: %s CHORALES.json PICTURE.svg [EPOCHS]\n", program.command.c_str());
    return carousel::exit_status(carousel::Code::kUsage);
  }
  run_chorales(program, model, argv[1], argv[2]);
  return 0;
} catch (const carousel::Error& error) {
  std::fprintf(stderr, "%s: %s\n", program.command.c_str(), error.what());
  return carousel::exit_status(error.code());
}

}  // namespace generative
