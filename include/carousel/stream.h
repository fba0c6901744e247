// stream.h: a trained model one time step after another.
//
// A Stream is a cursor over one sequence. It owns the state and a workspace, and copies of the weights packed for
// batch 1, so the model may be destroyed. Many streams may be made from one model; each belongs to one thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "carousel/layers.h"
#include "carousel/model.h"

namespace carousel {

struct StreamOptions {
  // How the weights of recurrent layers are kept: "f32"; "bf16": half the memory, 8 bits of mantissa; "int8": a
  // quarter, one scale per gate and unit. Sums and states are float in each.
  std::string dtype = "f32";
};

class Stream {
 public:
  // Throws Error{kUsage} for an unknown dtype, or if the network cannot run step by step: it is bidirectional, or pools
  // over all steps (mean, max); Error{kModel} if its layers do not fit each other.
  explicit Stream(const Model& model, const StreamOptions& options = {});
  explicit Stream(Sequential& network, const StreamOptions& options = {});
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  // Feeds one input x [input_size]; returns what the network gives for the sequence so far, [output_size], valid until
  // the next call. Allocates nothing, takes no lock, and treats numbers below 1.18e-38 as zero (the caller's mode of
  // the processor is restored). Throws Error{kUsage} before the state changes if x has another
  // size.
  std::span<const float> step(std::span<const float> x);
  // The same for a network that begins with an Embedding, or another layer that takes token ids: x is what it makes of
  // this token. Throws Error{kUsage} if the network has none or the id is outside its vocabulary.
  std::span<const float> step(std::int32_t token);

  std::int64_t input_size() const noexcept;  // of x, also where it is made of a token
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
