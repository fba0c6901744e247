// worker.h: what the C++ peers of the race share: the case, its arrays, and the protocol of bench/peers/README.md.
//
//   PROGRAM FOLDER OUTPUT VARIANT
//
// FOLDER holds case.json and the arrays (x, weights under PyTorch's names, lengths) as .npy, OUTPUT takes the results,
// VARIANT is the name of the peer in the table.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "carousel/tensor.h"

namespace carousel::peers {

struct RaceCase {
  std::string folder, output, variant;
  std::string mode = {};  // "train", "infer", "step", "lengths"
  std::string cell = {};  // "lstm", "gru", "rnn" (tanh)
  std::int64_t time_steps = 0, batch_size = 0, input_size = 0, hidden_size = 0, layers = 0;
  int threads = 1;

  // The array FOLDER/NAME.npy. Throws Error{kData} if it is not there.
  Tensor read(const std::string& name) const;
  std::vector<std::int32_t> read_lengths() const;  // [N]
};

using Results = std::vector<std::pair<std::string, Tensor>>;  // "y", "dx", "dweight_ih_l0" ...

struct Prepared {
  std::function<void()> run;         // what is timed
  std::int64_t steps = 1;            // the time that is reported is that of one run over this
  std::function<Results()> collect;  // what the first run computed; called once, right behind it
  std::string version = {};          // of the library
};

// Defined by each peer. Throws if it cannot run the case: the message is what the table shows.
Prepared prepare(const RaceCase& race_case);

}  // namespace carousel::peers
