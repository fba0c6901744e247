// stream_pool.h: many sequences of one model, one time step after another; for servers.
//
//   carousel::StreamPool pool(model, {.capacity = 256, .dtype = "int8"});
//   const auto id = pool.open();     // a fresh sequence
//   pool.feed(id, x);                // as inputs arrive, at most one for each sequence and step
//   pool.step();                     // advances every sequence that was fed
//   respond(pool.output(id));
//
// The weights are kept once and read once for a block of sequences. What a sequence gets is, bit for bit, what a Stream
// of its own would give it, whoever else is in the pool, in any order and on any number of threads. A pool belongs to
// one thread at a time. It takes numbers: a network that begins with token ids needs a Stream for each sequence.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "carousel/layers.h"
#include "carousel/model.h"

namespace carousel {

struct StreamPoolOptions {
  std::int64_t capacity = 64;  // sequences that may be open at once, 1 .. 1000000; memory for all is taken at once
  std::string dtype = "f32";   // as StreamOptions::dtype
  // step() spreads blocks of up to 32 sequences over one thread for each core. false: it stays on the calling thread,
  // takes no lock, makes no system call and restores the caller's mode of the processor, as Stream::step().
  bool parallel = true;
};

class StreamPool {
 public:
  using Id = std::uint64_t;  // never 0; a closed one is not given again

  // Throws Error{kUsage} for an unknown dtype, a capacity out of range, a network that takes token ids, or one that
  // cannot run step by step (see Stream). The model may be destroyed.
  explicit StreamPool(const Model& model, const StreamPoolOptions& options = {});
  explicit StreamPool(Sequential& network, const StreamPoolOptions& options = {});
  ~StreamPool();
  StreamPool(StreamPool&&) noexcept;
  StreamPool& operator=(StreamPool&&) noexcept;

  // Each function that takes an Id throws Error{kUsage} if no open sequence has it. None allocates but state().

  Id open();          // a fresh sequence; throws Error{kUsage} if the pool is full
  void close(Id id);  // drops an input that waits
  void reset(Id id);  // back to a fresh sequence: no state, no output, no input that waits

  // Copies x [input_size], to be taken in by the next step(). Throws Error{kUsage} if x has another size or an input
  // waits already.
  void feed(Id id, std::span<const float> x);

  // Advances every sequence that was fed since the last step and touches no other; returns how many. Allocates nothing,
  // but for the threads that the first step of more than 32 sequences in parallel starts.
  std::int64_t step();

  // What the network gave for the sequence at its last step, [output_size], valid until its next step, close() or
  // reset(). Throws Error{kUsage} if it has made no step yet.
  std::span<const float> output(Id id) const;

  // As Stream::state() and set_state(); an input that waits goes on waiting.
  State state(Id id) const;
  void set_state(Id id, const State& state);

  std::int64_t input_size() const noexcept;
  std::int64_t output_size() const noexcept;
  std::int64_t capacity() const noexcept;
  std::int64_t size() const noexcept;  // open sequences

 private:
  struct Program;
  std::unique_ptr<Program> program_;
};

}  // namespace carousel
