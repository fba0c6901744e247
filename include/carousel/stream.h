// stream.h: a trained model one time step after another.
//
// A Stream is a cursor over one sequence. It owns the state and a workspace, and copies of the weights packed for
// batch 1, so the model may be destroyed. Many streams may be made from one model; each belongs to one thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "carousel/layers.h"
#include "carousel/model.h"

namespace carousel {

class Stream {
 public:
  // Throws Error{kUsage} if the network cannot run step by step: it is bidirectional, takes token ids, or pools over
  // all steps (mean, max).
  explicit Stream(const Model& model);
  explicit Stream(Sequential& network);
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  // Feeds one input x [input_size]; returns what the network gives for the sequence so far, [output_size], valid until
  // the next call. Allocates nothing and takes no lock. Throws Error{kUsage} before the state changes if x has another
  // size.
  std::span<const float> step(std::span<const float> x);

  std::int64_t input_size() const noexcept;
  std::int64_t output_size() const noexcept;

  void reset() noexcept;  // back to the state of a fresh stream

  // The state is a value: copy it to branch a sequence, store it to resume one later. In the order of the layers: of a
  // Recurrent layer the states of its cell, [layers, 1, width], as Sequential has them; of a Flatten layer the inputs
  // it holds, [time_steps, 1, C], oldest first.
  State state() const;
  void set_state(const State& state);  // throws Error{kUsage} if it does not fit the network

 private:
  struct Program;
  std::unique_ptr<Program> program_;
};

}  // namespace carousel
