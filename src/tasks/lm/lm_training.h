// lm_training.h: trains the network of a language model by truncated back-propagation, and scores text with it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "layers/module.h"
#include "tasks/lm/lm_model.h"
#include "tasks/memory_plan.h"
#include "tasks/task.h"

namespace carousel {

// A text cut into `streams` contiguous pieces, which are read side by side, a chunk of steps at a time. The first
// pieces are a token longer if the text does not divide. Borrows the ids.
class StreamBatches {
 public:
  // The token before the text is `start`. Throws Error{kUsage} if there are more streams than tokens.
  StreamBatches(std::span<const std::int32_t> ids, std::int32_t start, std::int64_t streams, std::int64_t chunk_steps);

  std::int64_t chunks() const noexcept { return (longest() + chunk_steps_ - 1) / chunk_steps_; }
  std::int64_t longest() const noexcept;  // steps of the first stream
  // Makes chunk k ready.
  void assign(std::int64_t chunk);
  detail::PassInput pass_input() const;                                      // ids and lengths; packed
  std::span<const std::int32_t> labels() const noexcept { return labels_; }  // of the packed rows

 private:
  std::span<const std::int32_t> ids_;
  std::int32_t start_;
  std::int64_t streams_, chunk_steps_;
  IdTensor inputs_;
  std::vector<std::int32_t> lengths_, labels_;
};

// -log p of every token given all before it, the states carried from chunk to chunk: exact. With one stream the order
// is that of the text.
struct StreamScore {
  std::vector<double> losses;  // in nats
  double sum = 0;
};
StreamScore score_stream(Sequential& network, std::span<const std::int32_t> ids, std::int32_t start,
                         std::int64_t streams = 1);

// Dynamic evaluation (Krause et al. 2018, by gradient descent): as score_stream() with one stream, but after each chunk
// was scored the weights take a step of plain SGD, rate `lr`, on its mean loss. They are put back at the end.
StreamScore score_dynamically(Sequential& network, std::span<const std::int32_t> ids, std::int32_t start, double lr);

// "perplexity" and "bits_per_char" of a text of so many tokens and characters, from the sum of -log p; the one that
// belongs to the level first.
Metrics lm_metrics(double sum, const TokenStream& text, TextLevel level);

// The training problem. Network and data are borrowed; `options` is resolved.
class LmProblem final : public TaskProblem {
 public:
  struct Data {
    const TokenStream *train, *valid;
    std::int32_t start;  // the token before either
    TextLevel level;
    bool sampled = false;  // train with the sampled softmax
  };
  LmProblem(Sequential& network, const Data& data, const TrainOptions& options);

  std::int64_t batches_in_epoch(std::int64_t) override { return batches_.chunks(); }
  void prepare(std::int64_t epoch, std::int64_t batch) override;
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override;
  std::optional<Validation> validate() override;
  std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override;
  MemoryNeeds memory_needs() override;
  Carried carried(std::int64_t batch) const override;
  void carry(std::int64_t batch, Carried carried) override;

 private:
  // Few of the streams begin anew. Without that a network knows the states that it is in and no way there from the
  // beginning of a text: what it then makes of a text that begins may be far from what it has learned.
  void restart_streams(State& state);

  LmNetwork parts_;
  Data data_;
  TrainOptions options_;
  StreamBatches batches_;
  State states_[2];  // before and after a chunk, in turns
  SequenceLayout layout_;
};

}  // namespace carousel
